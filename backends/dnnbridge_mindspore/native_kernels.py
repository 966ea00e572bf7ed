"""Cells of native operations for accelerators, where a CPU has several kernels instead."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import AbstractPad
from dnnbridge_mindspore.slices import Sizes
from dnnbridge_mindspore.windows import AbstractTranspose3D, AbstractWindow, Pairs, spread

Tensor = Any

SUM = ops.ReduceSum()


class NativePad(AbstractPad):
    """`ops.PadV3`; the branches in `ops.pad` do not compile in the derivative of a loop"""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(value)
        self.native = ops.PadV3()

    def construct(self, x: Tensor, pads: tuple[int, ...]) -> Tensor:
        return self.native(x, pads, self.value)


class NativeConv3D(AbstractWindow):
    """`ops.Conv3D`, whose kernel on an Ascend has one group and no dilation in depth

    Args:
        shape: shape of the kernel: (*window, channels per group, filters).
        strides: one for each spatial axis, as are padding and dilation.
        padding: padding.
        dilation: dilation of the window; in depth, zeros are put into the kernel.
        groups: groups of channels, one convolution for each.
    """

    def __init__(
        self, shape: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int
    ) -> None:
        super().__init__(padding, NativePad)
        self.depth, self.groups = dilation[0], groups
        self.filters, self.share = shape[-1] // groups, shape[-2]
        window = ((shape[0] - 1) * self.depth + 1, *shape[1:3])
        self.conv = ops.Conv3D(
            self.filters, window, pad_mode="valid", stride=strides, dilation=(1, *dilation[1:])
        )

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        x, kernel = self.pad(x, self.pads), self.enter_kernel(kernel)
        if self.depth > 1:
            kernel = spread(kernel, 2, self.depth)
        if self.groups == 1:
            return self.conv(x, kernel)
        made: tuple[Tensor, ...] = ()
        for i in range(self.groups):
            rows = _part(x, 1, i * self.share, self.share)
            made = (*made, self.conv(rows, _part(kernel, 0, i * self.filters, self.filters)))
        return ops.cat(made, 1)


def _part(x: Tensor, axis: int, start: int, count: int) -> Tensor:
    """Return `count` elements along an axis."""
    begin = (*(0,) * axis, start, *(0,) * (x.ndim - axis - 1))
    return ops.slice(x, begin, (*x.shape[:axis], count, *x.shape[axis + 1 :]))


class NativeTranspose3D(AbstractTranspose3D):
    """`ops.Conv3D` of the input with zeros between its elements, by the turned kernel

    An Ascend has no kernel for `ops.Conv3DTranspose`.
    """

    def __init__(self, strides: Sizes, dilation: Sizes) -> None:
        super().__init__(strides, dilation)
        self.pad = NativePad()

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        for i in range(3):
            if self.strides[i] > 1:
                x = spread(x, i + 2, self.strides[i])
            if self.dilation[i] > 1:
                kernel = spread(kernel, i + 2, self.dilation[i])
        kernel = ops.flip(ops.transpose(kernel, (1, 0, 2, 3, 4)), (2, 3, 4))
        d, h, w = kernel.shape[2:]
        x = self.pad(x, (w - 1, w - 1, h - 1, h - 1, d - 1, d - 1))
        return ops.Conv3D(kernel.shape[0], (d, h, w), pad_mode="valid")(x, kernel)


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
