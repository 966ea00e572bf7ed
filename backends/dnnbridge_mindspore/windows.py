"""Convolutions and pools: MindSpore's own kernels, which on the CPU want channels first.

Each Cell transposes around its kernel and puts the padding around the input itself. One spatial
axis goes through the kernels for two. Most convolutions are a product of matrices instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import Pad
from dnnbridge_mindspore.slices import Sizes, Slices, cuts

Tensor = Any

MOST_OFFSETS = 49
"""Places of a window up to which a convolution is written as a matrix product."""

Pairs = tuple[tuple[int, int], ...]


class AbstractWindow(nn.Cell):
    """Channels last outside; `enter` and `leave` put them first for a native kernel."""

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


@ops.constexpr  # type: ignore[untyped-decorator]
def _is_small(window: Sizes) -> bool:
    return math.prod(window) <= MOST_OFFSETS


class Conv(AbstractWindow):
    """`ops.Conv2D` and `ops.Conv3D`; without groups a product of matrices, up to `MOST_OFFSETS`

    With the native 3×3 kernel, for which oneDNN has no fast form in this layout, a step of
    ResNet-20 and 32 images took 18 s.
    """

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> None:
        super().__init__(padding)
        self.strides, self.dilation, self.groups = strides, dilation, groups
        self.slices, self.multiply = Slices(), ops.MatMul()

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        if self.groups == 1 and _is_small(kernel.shape[: self.axes]):
            return self.product(x, kernel)
        x, kernel = self.enter(x), self.enter_kernel(kernel)
        if self.has_padding:
            x = self.pad(x, self.pads)
        native = ops.Conv3D if self.axes == 3 else ops.Conv2D
        conv = native(
            kernel.shape[0],
            kernel.shape[2:],
            pad_mode="valid",
            stride=_lifted(self.strides),
            dilation=_lifted(self.dilation),
            group=self.groups,
        )
        return self.leave(conv(x, kernel))

    def product(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Put what the places of the window see side by side, and multiply.

        One axis after the other: so few slices that they compile fast.
        """
        if self.has_padding:
            x = self.pad(x, (0, 0, *self.pads))
        window, filters = kernel.shape[: self.axes], kernel.shape[-1]
        along, shape = cuts(x.shape, window, self.strides, self.dilation)
        for cut in along:
            x = ops.cat(self.slices(x, cut), -1)
        rows = ops.reshape(x, (-1, shape[-1]))
        made = self.multiply(rows, ops.reshape(kernel, (-1, filters)))
        return ops.reshape(made, (*shape[:-1], filters))


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
