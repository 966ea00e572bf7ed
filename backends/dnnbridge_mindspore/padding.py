"""Pad a tensor with a constant."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

Tensor = Any


class AbstractPad(nn.Cell):
    """A tensor padded with a constant

    `pads` are (before, after) of the last axis, then of the one before it, and so on. The
    derivative of `ops.pad` is wrong from the second call on, so it has one of its own.
    """

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def bprop(
        self, x: Tensor, pads: tuple[int, ...], out: Tensor, dout: Tensor
    ) -> tuple[Tensor, tuple[int, ...]]:
        begin: tuple[int, ...] = ()
        for i in range(x.ndim):
            place = 2 * (x.ndim - 1 - i)
            begin = (*begin, pads[place] if place < len(pads) else 0)
        return ops.slice(dout, begin, x.shape), pads


class Pad(AbstractPad):
    """The tensor and constants joined axis by axis

    `ops.pad` takes 8 times as long on the CPU: 8 ms for 64 images of 14×14×64.
    """

    def construct(self, x: Tensor, pads: tuple[int, ...]) -> Tensor:
        for i in range(len(pads) // 2):
            x = self.along(x, x.ndim - 1 - i, pads[2 * i], pads[2 * i + 1])
        return x

    def along(self, x: Tensor, axis: int, before: int, after: int) -> Tensor:
        if before + after == 0:
            return x
        parts: tuple[Tensor, ...] = (x,)
        if before > 0:
            parts = (self.constant(x, axis, before), *parts)
        if after > 0:
            parts = (*parts, self.constant(x, axis, after))
        return ops.cat(parts, axis)

    def constant(self, x: Tensor, axis: int, size: int) -> Tensor:
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        return ops.full(shape, self.value, dtype=x.dtype)
