"""Sums over the processes of a launched program, by `mindspore.communication`."""

from __future__ import annotations

import os
from typing import Any

import mindspore as ms
from mindspore import nn, ops
from mindspore.communication import GlobalComm, init

from dnnbridge.backend import BackendError, this_cluster
from dnnbridge_mindspore.meeting import variables

Tensor = Any


def join() -> None:
    """Meet the other processes of a launched program, once."""
    cluster = this_cluster()
    if cluster is None or cluster.count == 1 or GlobalComm.INITED:
        return
    os.environ.update(variables(cluster, "MS_WORKER"))
    # Threads could run sums that do not depend on each other in another order on each worker.
    ms.runtime.dispatch_threads_num(1)
    try:
        init()
    except RuntimeError as error:
        raise BackendError(
            "MindSpore could not meet the other workers",
            where=f"worker {cluster.rank} of {cluster.count}",
            got=str(error).strip().splitlines()[0],
            hint=f"All must start within {cluster.seconds} s and reach {cluster.coordinator}.",
        ) from error


class _Total(nn.Cell):
    """The sum over all workers; with one worker the operand itself"""

    def __init__(self) -> None:
        super().__init__()
        self.together = GlobalComm.INITED
        self.sum: Any = ops.AllReduce() if self.together else None
        self.shared = ms.get_context("device_target") == "CPU"

    def construct(self, x: Tensor) -> Tensor:
        # On a CPU the kernel shares a buffer with others. Without copies, a derivative with sums
        # that do not depend on each other was wrong (two branches with one BatchNormalization).
        if self.together and self.shared:
            return self.sum(x * 1.0) * 1.0
        return self.sum(x) if self.together else x


class AllReduceSum(nn.Cell):
    """The sum over all workers; its derivative is that of the sum on each

    Args:
        operand: name of the operand, so that each place has a Cell of its own.
    """

    def __init__(self, operand: str) -> None:
        super().__init__()
        self.total = _Total()

    def construct(self, x: Tensor) -> Tensor:
        return self.total(x)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout,)


class AllReduceGradient(nn.Cell):
    """The operand, whose derivative is summed over all workers

    Args:
        operand: name of the operand, so that each place has a Cell of its own.
    """

    def __init__(self, operand: str) -> None:
        super().__init__()
        self.total = _Total()

    def construct(self, x: Tensor) -> Tensor:
        return x

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (self.total(dout),)
