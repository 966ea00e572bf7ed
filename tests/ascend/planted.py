"""Cells that break a rule of Ascend, by which the simulation is tested."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import nn, ops


class NoKernel(nn.Cell):
    def construct(self, x):
        return ops.fmax(x, x) * 2.0


class Float64(nn.Cell):
    def construct(self, x):
        return ops.cast(x, ms.float64) * 2.0


class Float16(nn.Cell):
    def construct(self, x):
        return ops.tanh(ops.cast(x, ms.float16))


class OddGRU(nn.Cell):
    """A GRU of MindSpore with 6 units; Ascend's own needs a multiple of 16."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 6)

    def construct(self, x):
        return self.gru(ops.expand_dims(x, 0))[0]


PLANTED = {"no-kernel": NoKernel, "float64": Float64, "float16": Float16, "odd-gru": OddGRU}


def compile_planted(name: str) -> None:
    """Compile one of them on an Ascend."""
    from dnnbridge_mindspore.devices import set_device

    set_device("ascend")
    ms.set_context(mode=ms.GRAPH_MODE)
    PLANTED[name]().compile(ms.Tensor(np.zeros((2, 3), np.float32)))
