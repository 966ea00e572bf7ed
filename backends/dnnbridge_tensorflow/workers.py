"""Sums over workers: processes by `MultiWorkerMirroredStrategy`, devices by `MirroredStrategy`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import tensorflow as tf

from dnnbridge.backend import (
    BackendError,
    Cluster,
    Function,
    Workers,
    device_kind,
    ops,
    this_cluster,
)
from dnnbridge_tensorflow.derivatives import with_derivative

Tensor = Any
Step = Callable[[list[Tensor]], list[Tensor]]

CONFIG = "TF_CONFIG"


def join() -> None:
    """Meet the other processes, if this one was started with others."""
    cluster = this_cluster()
    if cluster is not None and cluster.count > 1:
        _strategy(cluster)


@lru_cache(maxsize=1)
def _strategy(cluster: Cluster) -> Any:
    """Return the strategy of a cluster, which a process makes once."""
    os.environ[CONFIG] = json.dumps(
        {
            "cluster": {"worker": list(cluster.addresses)},
            "task": {"type": "worker", "index": cluster.rank},
        }
    )
    gpus = tf.config.list_physical_devices("GPU")
    try:
        if gpus:
            tf.config.set_visible_devices(gpus[cluster.local_rank % len(gpus)], "GPU")
        options = _options(bool(gpus))
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    except RuntimeError as error:
        raise BackendError(
            "TensorFlow must meet the other workers before its first operation",
            where="compile",
            got=str(error).splitlines()[0],
            hint="Load the backend first: compile or dnnbridge.load before other TensorFlow code.",
        ) from error


def _options(gpus: bool) -> Any:
    """Return how to communicate: NCCL between GPUs, a ring of processes otherwise."""
    kinds = tf.distribute.experimental.CommunicationImplementation
    kind = kinds.NCCL if gpus else kinds.RING
    return tf.distribute.experimental.CommunicationOptions(implementation=kind)


class Meeting:
    """The workers of a program, and how those of this process run a step together.

    Args:
        strategy: of the workers.
        workers: all of them.

    Attributes:
        here: how many of them this process has.
    """

    def __init__(self, strategy: Any, workers: Workers) -> None:
        self._strategy, self._workers = strategy, workers
        self.here = 1 if workers.rank is not None else workers.count

    def parts(self, function: Function, feeds: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the feeds of each worker of this process."""
        if not function.divided or self._workers.rank is not None:
            return [feeds]
        return [self._workers.part(function, feeds, rank) for rank in range(self.here)]

    def step_of(self, steps: Sequence[Step]) -> Step:
        """Return one step for the feeds of all workers of this process, from a step for each."""

        def own(feeds: list[Tensor]) -> list[Tensor]:
            rank, count = 0, len(feeds) // self.here
            if self.here > 1:
                context = tf.distribute.get_replica_context()
                rank = int(tf.get_static_value(context.replica_id_in_sync_group))
            return steps[rank](feeds[rank * count : (rank + 1) * count])

        def together(feeds: list[Tensor]) -> list[Tensor]:
            made = self._strategy.run(own, args=(feeds,))
            return [self._strategy.experimental_local_results(value)[0] for value in made]

        return together


def meeting_of(workers: Workers, device: str) -> Meeting:
    """Return how workers meet: the processes of a launched program, or devices of this one."""
    if workers.rank is None:
        return Meeting(_devices(workers.count, device_kind(device)), workers)
    cluster = this_cluster()
    assert cluster is not None
    return Meeting(_strategy(cluster), workers)


@lru_cache(maxsize=8)
def _devices(count: int, device: str) -> Any:
    """Return the strategy of devices of this process; processors are divided into some."""
    kind = device.upper()
    if device == "cpu" and len(tf.config.list_physical_devices(kind)) < count:
        _divide_processors(count)
    there = tf.config.list_logical_devices(kind)
    if len(there) < count:
        raise BackendError(
            f"there are {len(there)} devices of this kind",
            where="workers",
            got=str(count),
            hint="Ask for fewer, or start processes with dnnbridge launch.",
        )
    return tf.distribute.MirroredStrategy([each.name for each in there[:count]])


def _divide_processors(count: int) -> None:
    (processor, *_) = tf.config.list_physical_devices("CPU")
    known = tf.config.get_logical_device_configuration(processor) or []
    if len(known) >= count:
        return
    wanted = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(processor, wanted)
    except RuntimeError as error:
        raise BackendError(
            "TensorFlow can divide the processors only before its first operation",
            where="workers",
            got=str(count),
            hint="Compile for the most workers first, before other TensorFlow code.",
        ) from error


def _total(x: Tensor) -> Tensor:
    """Return the sum over the workers; with one worker, outside of a strategy, x itself."""
    context = tf.distribute.get_replica_context()
    # A feed has no device yet, and the strategy sums where its operand is.
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(x))


@with_derivative
def _summed(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return _total(x), lambda dy: dy


@with_derivative
def _with_summed_gradient(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return tf.identity(x), _total


def all_reduce_sum(op: ops.AllReduceSum, x: Tensor) -> Tensor:
    return _summed(x)


def all_reduce_gradient(op: ops.AllReduceGradient, x: Tensor) -> Tensor:
    return _with_summed_gradient(x)
