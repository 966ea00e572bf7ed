"""Convolutions and pools: MindSpore's own kernels, which on the CPU want channels first.

Each Cell transposes around its kernel and puts the padding around the input itself. One spatial
axis goes through the kernels for two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import Pad

Tensor = Any

MOST_OFFSETS = 49
"""Places of a window up to which a convolution is written as a matrix product."""

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


class AbstractWindow(nn.Cell):
    """Channels last outside, channels first inside."""

    def __init__(self, padding: Pairs, value: float = 0.0) -> None:
        super().__init__()
        self.axes = n = len(padding)
        self.first, self.last = (0, n + 1, *range(1, n + 1)), (0, *range(2, n + 2), 1)
        self.kernel_first = (n + 1, n, *range(n))
        self.pads = _flat(padding)
        self.pad = Pad(value)
        self.has_padding = any(self.pads)

    def enter(self, x: Tensor) -> Tensor:
        x = ops.transpose(x, self.first)
        return ops.expand_dims(x, 2) if self.axes == 1 else x

    def leave(self, y: Tensor) -> Tensor:
        y = ops.squeeze(y, 2) if self.axes == 1 else y
        return ops.transpose(y, self.last)

    def enter_kernel(self, kernel: Tensor) -> Tensor:
        kernel = ops.transpose(kernel, self.kernel_first)
        return ops.expand_dims(kernel, 2) if self.axes == 1 else kernel


def _flat(padding: Pairs) -> Sizes:
    """Write pairs as `ops.pad` wants them: the last axis first."""
    return tuple(count for pair in reversed(padding) for count in pair)


def _lifted(values: Sequence[int]) -> Sizes:
    return (1, *values) if len(values) == 1 else tuple(values)


class Conv(AbstractWindow):
    """`ops.Conv2D` and `ops.Conv3D`; over one and two axes without groups a matrix product

    With the native 3×3 kernel, for which oneDNN has no fast form in this layout, a step of
    ResNet-20 and 32 images took 18 s.
    """

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> None:
        super().__init__(padding)
        self.strides, self.dilation, self.groups = _lifted(strides), _lifted(dilation), groups
        self.by_product, self.multiply = self.axes <= 2 and groups == 1, ops.MatMul()

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        if self.by_product and kernel.shape[0] * kernel.shape[self.axes - 1] <= MOST_OFFSETS:
            if self.has_padding:
                x = self.pad(x, (0, 0, *self.pads))
            if self.axes == 2:
                return self.product(x, kernel)
            y = self.product(ops.expand_dims(x, 1), ops.expand_dims(kernel, 0))
            return ops.squeeze(y, 1)
        x, kernel = self.enter(x), self.enter_kernel(kernel)
        if self.has_padding:
            x = self.pad(x, self.pads)
        native = ops.Conv3D if self.axes == 3 else ops.Conv2D
        conv = native(
            kernel.shape[0],
            kernel.shape[2:],
            pad_mode="valid",
            stride=self.strides,
            dilation=self.dilation,
            group=self.groups,
        )
        return self.leave(conv(x, kernel))

    def product(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Put the elements under each place of the window side by side, and multiply.

        Those of a row of the window first, then the rows: so few slices that they compile fast.
        """
        batch, h, w, channels = x.shape
        down, right = self.dilation
        s, t = self.strides
        rows, columns, _, filters = kernel.shape
        high = (h - (rows - 1) * down - 1) // s + 1
        wide = (w - (columns - 1) * right - 1) // t + 1
        x = self.beside(ops.reshape(x, (batch * h, w, 1, channels)), columns, right, t, wide)
        x = self.beside(ops.reshape(x, (batch, h, wide, columns * channels)), rows, down, s, high)
        whole = ops.reshape(x, (-1, rows * columns * channels))
        made = self.multiply(whole, ops.reshape(kernel, (-1, filters)))
        return ops.reshape(made, (batch, high, wide, filters))

    def beside(self, x: Tensor, count: int, dilation: int, stride: int, size: int) -> Tensor:
        """Join along the last axis what each place of a window sees of the second, `size` long."""
        if count * stride == 1:
            return x
        n, length, m, channels = x.shape
        if stride > 1:  # a strided slice is slow: the stride is an axis of its own instead
            x = self.pad(x, (0, 0, 0, 0, 0, -length % stride))
            x = ops.reshape(x, (n, -1, stride * m, channels))
        parts: tuple[Tensor, ...] = ()
        for i in range(count):
            at = i * dilation
            begin = (0, at // stride, at % stride * m, 0)
            parts = (*parts, ops.slice(x, begin, (n, size, m, channels)))
        return ops.cat(parts, -1)


class ConvTranspose(AbstractWindow):
    """`ops.Conv2DTranspose` and `ops.Conv3DTranspose` of the padded output, then cropped

    The latter takes no dilation: the kernel gets its zeros here.
    """

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes, sizes: Sizes) -> None:
        super().__init__(padding)
        self.strides, self.dilation = _lifted(strides), _lifted(dilation)
        self.grown = _lifted([n + sum(pair) for n, pair in zip(sizes, padding, strict=True)])
        pairs = ((0, 0), *padding) if self.axes == 1 else padding
        self.begin = (0, 0, *(before for before, _ in pairs))
        self.sizes = _lifted(sizes)

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        x, kernel = self.enter(x), self.enter_kernel(kernel)
        y = self.over_three(x, kernel) if self.axes == 3 else self.over_two(x, kernel)
        short: Sizes = ()
        for i in range(len(self.grown)):
            short = (0, self.grown[i] - y.shape[i + 2], *short)
        y = self.pad(y, short)  # what no input reaches
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

    def over_three(self, x: Tensor, kernel: Tensor) -> Tensor:
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


def spread(kernel: Tensor, axis: int, dilation: int) -> Tensor:
    """Put dilation - 1 zeros between the elements along an axis."""
    shape = kernel.shape
    before, after = shape[:axis], shape[axis + 1 :]
    rows = ops.reshape(kernel, (*before, shape[axis], 1, *after))
    zeros = ops.zeros((*before, shape[axis], dilation - 1, *after), kernel.dtype)
    joined = ops.cat((rows, zeros), axis + 1)
    whole = ops.reshape(joined, (*before, shape[axis] * dilation, *after))
    begin = (0,) * len(shape)
    return ops.slice(whole, begin, (*before, (shape[axis] - 1) * dilation + 1, *after))


class MaxPool(AbstractWindow):
    """`ops.MaxPool` and `ops.MaxPool3D` of the input within -∞"""

    def __init__(self, window: Sizes, strides: Sizes, padding: Pairs) -> None:
        super().__init__(padding, -math.inf)
        native = ops.MaxPool3D if self.axes == 3 else ops.MaxPool
        self.pool = native(_lifted(window), _lifted(strides), "valid")

    def construct(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        if self.has_padding:
            x = self.pad(x, self.pads)
        return self.leave(self.pool(x))


class AvgPool(AbstractWindow):
    """`ops.AvgPool` and `ops.AvgPool3D`; the mean of ones says how much of a window counts"""

    def __init__(self, window: Sizes, strides: Sizes, padding: Pairs, count_padding: bool) -> None:
        super().__init__(padding)
        native = ops.AvgPool3D if self.axes == 3 else ops.AvgPool
        self.pool = native(_lifted(window), _lifted(strides), "valid")
        self.count_padding = count_padding

    def construct(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        if not self.has_padding:
            return self.leave(self.pool(x))
        y = self.pool(self.pad(x, self.pads))
        if not self.count_padding:
            ones = ops.ones((1, 1, *x.shape[2:]), x.dtype)
            y = y * ops.reciprocal(self.pool(self.pad(ones, self.pads)))
        return self.leave(y)
