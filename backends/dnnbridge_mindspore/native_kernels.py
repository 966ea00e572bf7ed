"""Cells of native operations for accelerators, where a CPU has several kernels instead."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import AbstractPad

Tensor = Any

SUM = ops.ReduceSum()


class NativePad(AbstractPad):
    """`ops.pad`"""

    def construct(self, x: Tensor, pads: tuple[int, ...]) -> Tensor:
        return ops.pad(x, pads, "constant", self.value)


class NativeChannels(nn.Cell):
    """Sums over space and operations with a number per channel, by native broadcasting

    Args:
        first: whether the channels are first, (batch, channels, …), or last.
        rank: number of axes.
    """

    def __init__(self, first: bool, rank: int) -> None:
        super().__init__()
        self.space = tuple(range(2, rank)) if first else tuple(range(1, rank - 1))
        self.before = () if first else (1,) * (rank - 2)
        self.after = (1,) * (rank - 2) if first else ()

    def construct(self, x: Tensor) -> Tensor:
        """Σ over space, as (batch, channels)"""
        return SUM(x, self.space)

    def plus(self, x: Tensor, numbers: Tensor) -> Tensor:
        """Add a number to each channel."""
        return ops.add(x, ops.reshape(numbers, (-1, *self.after)))

    def times(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, ops.reshape(numbers, (-1, *self.after)))

    def plus_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        """Add a number to each channel of each example."""
        return ops.add(x, self.wide(numbers))

    def times_rows(self, x: Tensor, numbers: Tensor) -> Tensor:
        return ops.mul(x, self.wide(numbers))

    def wide(self, numbers: Tensor) -> Tensor:
        n, channels = numbers.shape
        return ops.reshape(numbers, (n, *self.before, channels, *self.after))


class LayerNorm(nn.Cell):
    """`ops.LayerNorm` over the last axes, with gamma and beta

    Args:
        axes: number of these axes.
        epsilon: number added to the variance.
    """

    def __init__(self, axes: int, epsilon: float) -> None:
        super().__init__()
        self.norm = ops.LayerNorm(-axes, -axes, epsilon)

    def construct(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return self.norm(x, gamma, beta)[0]
