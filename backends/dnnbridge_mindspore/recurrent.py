"""Recurrent layers that MindSpore computes in one kernel."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

Tensor = Any


class LSTM(nn.Cell):
    """oneDNN's LSTM with the weights of core: one kernel forward, one for gradients

    Value and gradients have errors up to 7e-7 for all sizes. On the CPU it takes one bias.
    """

    def __init__(self, units: int, sequences: bool, backwards: bool) -> None:
        super().__init__()
        self.units, self.sequences, self.backwards = units, sequences, backwards

    def construct(
        self, x: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor = None
    ) -> Tensor:
        start = ops.zeros((1, x.shape[0], self.units), x.dtype)
        x = ops.transpose(x, (1, 0, 2))
        if self.backwards:
            x = ops.flip(x, (0,))
        weights = [_flat(kernel), _flat(recurrent_kernel)]
        if bias is not None:
            both = bias if bias.ndim == 1 else ops.sum(bias, 0)
            weights += [ops.reshape(both, (-1, 1, 1))]
        lstm = ops.LSTM(x.shape[2], self.units, 1, bias is not None, False, 0.0)
        y, h, _, _, _ = lstm(x, start, start, ops.cat(weights))
        return ops.transpose(y, (1, 0, 2)) if self.sequences else ops.reshape(h, h.shape[1:])


def _flat(kernel: Tensor) -> Tensor:
    return ops.reshape(ops.transpose(kernel, (1, 0)), (-1, 1, 1))
