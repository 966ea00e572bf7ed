"""Convolutions and pools by MindSpore's own kernels, which need channels first on the CPU.

Inputs and outputs of each Cell have their channels first; `layouts.py` adds the transposes. One
spatial axis uses the kernels for two. `products.py` has convolutions without these kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import AbstractPad, Pad
from dnnbridge_mindspore.slices import Sizes

Tensor = Any
Pairs = tuple[tuple[int, int], ...]


class AbstractWindow(nn.Cell):
    """Base of windows; `enter` and `leave` add and remove a second spatial axis"""

    def __init__(self, padding: Pairs, pad: type[AbstractPad], value: float = 0.0) -> None:
        super().__init__()
        self.axes = n = len(padding)
        self.kernel_first = (n + 1, n, *range(n))
        self.pads = _flat(padding)
        self.pad = pad(value)
        self.has_padding = any(self.pads)

    def enter(self, x: Tensor) -> Tensor:
        return ops.expand_dims(x, 2) if self.axes == 1 else x

    def leave(self, y: Tensor) -> Tensor:
        return ops.squeeze(y, 2) if self.axes == 1 else y

    def enter_kernel(self, kernel: Tensor) -> Tensor:
        kernel = ops.transpose(kernel, self.kernel_first)
        return ops.expand_dims(kernel, 2) if self.axes == 1 else kernel


def _flat(padding: Pairs) -> Sizes:
    """Return pairs in the order of `Pad`: the last axis first."""
    return tuple(count for pair in reversed(padding) for count in pair)


def _lifted(values: Sequence[int]) -> Sizes:
    return (1, *values) if len(values) == 1 else tuple(values)


class Conv(AbstractWindow):
    """`ops.Conv2D` and `ops.Conv3D`

    Args:
        shape: shape of the kernel: (*window, channels per group, filters).
        strides: one for each spatial axis, as are padding and dilation.
        padding: padding, which the kernel for two axes adds itself.
        dilation: dilation of the window.
        groups: groups of channels.
        pad: Cell that pads, as in every window.
    """

    def __init__(
        self,
        shape: Sizes,
        strides: Sizes,
        padding: Pairs,
        dilation: Sizes,
        groups: int,
        pad: type[AbstractPad] = Pad,
    ) -> None:
        super().__init__(padding, pad)
        given = {
            "stride": _lifted(strides),
            "dilation": _lifted(dilation),
            "group": groups,
        }
        window = _lifted(shape[: self.axes])
        if self.axes == 3:
            self.conv = ops.Conv3D(shape[-1], window, pad_mode="valid", **given)
        else:
            pairs = ((0, 0), *padding) if self.axes == 1 else padding
            pads = tuple(count for pair in pairs for count in pair)
            self.conv = ops.Conv2D(shape[-1], window, pad_mode="pad", pad=pads, **given)

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        x, kernel = self.enter(x), self.enter_kernel(kernel)
        if self.axes == 3:
            x = self.pad(x, self.pads)
        return self.leave(self.conv(x, kernel))


def spread(x: Tensor, axis: int, step: int) -> Tensor:
    """Put step - 1 zeros between the elements along an axis."""
    shape = x.shape
    before, after = shape[:axis], shape[axis + 1 :]
    rows = ops.reshape(x, (*before, shape[axis], 1, *after))
    zeros = ops.zeros((*before, shape[axis], step - 1, *after), x.dtype)
    joined = ops.cat((rows, zeros), axis + 1)
    whole = ops.reshape(joined, (*before, shape[axis] * step, *after))
    begin = (0,) * len(shape)
    return ops.slice(whole, begin, (*before, (shape[axis] - 1) * step + 1, *after))


class AbstractTranspose3D(nn.Cell):
    """A transposed convolution over three axes, without padding"""

    def __init__(self, strides: Sizes, dilation: Sizes) -> None:
        super().__init__()
        self.strides, self.dilation = strides, dilation


class Transpose3D(AbstractTranspose3D):
    """`ops.Conv3DTranspose`; it does not support dilation, so zeros are put into the kernel"""

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        for i in range(3):
            if self.dilation[i] > 1:
                kernel = spread(kernel, i + 2, self.dilation[i])
        transpose = ops.Conv3DTranspose(
            kernel.shape[0],
            kernel.shape[1],
            kernel.shape[2:],
            pad_mode="valid",
            stride=self.strides,
        )
        return transpose(x, kernel)


class ConvTranspose(AbstractWindow):
    """A transposed convolution with padded output, then cropped; `three` makes it for three axes"""

    def __init__(
        self,
        strides: Sizes,
        padding: Pairs,
        dilation: Sizes,
        sizes: Sizes,
        pad: type[AbstractPad] = Pad,
        three: type[AbstractTranspose3D] = Transpose3D,
    ) -> None:
        super().__init__(padding, pad)
        self.strides, self.dilation = _lifted(strides), _lifted(dilation)
        self.three = three(self.strides, self.dilation)
        self.grown = _lifted([n + sum(pair) for n, pair in zip(sizes, padding, strict=True)])
        pairs = ((0, 0), *padding) if self.axes == 1 else padding
        self.begin = (0, 0, *(before for before, _ in pairs))
        self.sizes = _lifted(sizes)

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        x, kernel = self.enter(x), self.enter_kernel(kernel)
        y = self.three(x, kernel) if self.axes == 3 else self.over_two(x, kernel)
        short: Sizes = ()
        for i in range(len(self.grown)):
            short = (0, self.grown[i] - y.shape[i + 2], *short)
        y = self.pad(y, short)  # outputs that no input reaches
        y = ops.slice(y, self.begin, (*y.shape[:2], *self.sizes))
        return self.leave(y)

    def over_two(self, x: Tensor, kernel: Tensor) -> Tensor:
        made: Sizes = ()
        for i in range(2):
            extent = (kernel.shape[i + 2] - 1) * self.dilation[i] + 1
            made = (*made, (x.shape[i + 2] - 1) * self.strides[i] + extent)
        transpose = ops.Conv2DTranspose(
            kernel.shape[0],
            kernel.shape[2:],
            pad_mode="valid",
            stride=self.strides,
            dilation=self.dilation,
        )
        return transpose(x, kernel, (x.shape[0], kernel.shape[1], *made))


class MaxPool(AbstractWindow):
    """`ops.MaxPool` and `ops.MaxPool3D` of the input padded with -∞"""

    def __init__(
        self, window: Sizes, strides: Sizes, padding: Pairs, pad: type[AbstractPad] = Pad
    ) -> None:
        super().__init__(padding, pad, -math.inf)
        native = ops.MaxPool3D if self.axes == 3 else ops.MaxPool
        self.pool = native(_lifted(window), _lifted(strides), "valid")

    def construct(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        if self.has_padding:
            x = self.pad(x, self.pads)
        return self.leave(self.pool(x))


class AvgPool(AbstractWindow):
    """`ops.AvgPool` and `ops.AvgPool3D`; the mean of ones gives the counted share of a window"""

    def __init__(
        self,
        window: Sizes,
        strides: Sizes,
        padding: Pairs,
        count_include_pad: bool,
        pad: type[AbstractPad] = Pad,
    ) -> None:
        super().__init__(padding, pad)
        native = ops.AvgPool3D if self.axes == 3 else ops.AvgPool
        self.pool = native(_lifted(window), _lifted(strides), "valid")
        self.count_include_pad = count_include_pad

    def construct(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        if not self.has_padding:
            return self.leave(self.pool(x))
        y = self.pool(self.pad(x, self.pads))
        if not self.count_include_pad:
            ones = ops.ones((1, 1, *x.shape[2:]), x.dtype)
            y = y * ops.reciprocal(self.pool(self.pad(ones, self.pads)))
        return self.leave(y)
