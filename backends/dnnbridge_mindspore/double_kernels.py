"""Cells for operations of float64 whose own MindSpore kernel is missing, or exact to float32 alone.

MindSpore reads a number in source as float32, so these have no numbers but 0, ½, 1 and 2.
"""

from __future__ import annotations

import math
from typing import Any

import mindspore as ms
from mindspore import nn, ops

from dnnbridge.backend import ops as core
from dnnbridge_mindspore.padding import Pad
from dnnbridge_mindspore.products import AbstractSlices, ConvSlices, Pairs
from dnnbridge_mindspore.slices import Sizes
from dnnbridge_mindspore.windows import spread

Tensor = Any


class DoubleClip(nn.Cell):
    """x, at least `low` and at most `high`"""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = ms.Tensor(low, ms.float64), ms.Tensor(high, ms.float64)

    def construct(self, x: Tensor) -> Tensor:
        inside = ops.where(ops.greater(x, self.high), self.high, x)
        return ops.where(ops.less(x, self.low), self.low, inside)


class DoubleExpm1(nn.Cell):
    """2t / (1 - t) with t = tanh(x / 2) near 0, where `ops.expm1` cancels: its error is 4e-11"""

    def construct(self, x: Tensor) -> Tensor:
        t = ops.tanh(0.5 * x)
        near = ops.less(ops.abs(x), 1.0)
        return ops.where(near, ops.div(2.0 * t, 1.0 - t), ops.expm1(x))

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * ops.exp(x),)


class DoubleSoftplus(nn.Cell):
    """max(x, 0) + log(1 + t) with t = exp(-|x|); `ops.softplus` and `ops.log1p` are inexact

    log(u) is multiplied by t / (u - 1), where u is 1 + t rounded (D. Goldberg, "What every computer
    scientist should know about floating-point arithmetic", 1991, theorem 4).
    """

    def construct(self, x: Tensor) -> Tensor:
        t = ops.exp(-ops.abs(x))
        u = t + 1.0
        rest = u - 1.0
        lost = ops.equal(rest, 0.0)
        share = ops.div(t, ops.where(lost, u, rest))
        return ops.relu(x) + ops.where(lost, t, ops.log(u) * share)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * ops.sigmoid(x),)


class DoubleConvTranspose(nn.Cell):
    """A transposed convolution with the channels last: zeros between the inputs, then a convolution

    Args:
        strides: one for each spatial axis, as are padding, dilation and sizes.
        padding: what is cropped from the result.
        dilation: dilation of the window.
        sizes: sizes of the cropped result.
    """

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes, sizes: Sizes) -> None:
        super().__init__()
        axes = len(strides)
        self.strides, self.dilation, self.axes = strides, dilation, tuple(range(axes))
        self.swapped = (*range(axes), axes + 1, axes)
        self.grown = tuple(n + sum(pair) for n, pair in zip(sizes, padding, strict=True))
        self.begin, self.sizes = (0, *(before for before, _ in padding), 0), sizes
        self.pad = Pad()
        self.conv = ConvSlices((1,) * axes, ((0, 0),) * axes, dilation)

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        pads: Sizes = (0, 0)
        for i in self.axes[::-1]:
            if self.strides[i] > 1:
                x = spread(x, i + 1, self.strides[i])
            before = (kernel.shape[i] - 1) * self.dilation[i]
            after = self.grown[i] - x.shape[i + 1]
            pads = (*pads, before, after)
        x = self.pad(x, pads)
        y = self.conv(x, ops.transpose(ops.flip(kernel, self.axes), self.swapped))
        return ops.slice(y, self.begin, (y.shape[0], *self.sizes, y.shape[-1]))


class DoubleAvgPool(AbstractSlices):
    """The mean of each window, with the channels last; `divisors` are the numbers of elements"""

    def __init__(self, window: Sizes, strides: Sizes, padding: Pairs, divisors: Any) -> None:
        super().__init__(strides, padding, (1,) * len(strides))
        self.window, self.divisors, self.sum = window, ms.Tensor(divisors), ops.ReduceSum()

    def construct(self, x: Tensor) -> Tensor:
        rows, shape = self.beside(x, self.window)
        each = self.sum(ops.reshape(rows, (rows.shape[0], -1, x.shape[-1])), 1)
        return ops.div(ops.reshape(each, (*shape[:-1], x.shape[-1])), self.divisors)


class DoubleMaxPool(AbstractSlices):
    """The maximum of each window, with the channels last

    The first of equal elements gets the gradient, and NaN is kept. The derivative of MindSpore's
    kernel is rounded to float32.
    """

    def __init__(self, window: Sizes, strides: Sizes, padding: Pairs) -> None:
        super().__init__(strides, padding, (1,) * len(strides))
        self.window, self.pad = window, Pad(-math.inf)

    def construct(self, x: Tensor) -> Tensor:
        rows, shape = self.beside(x, self.window)
        channels = x.shape[-1]
        y = rows[:, :channels]
        for start in range(channels, shape[-1], channels):
            other = rows[:, start : start + channels]
            keep = ops.logical_or(ops.greater_equal(y, other), ops.not_equal(y, y))
            y = ops.where(keep, y, other)
        return ops.reshape(y, (*shape[:-1], channels))


def double_avg_pool(
    window: Sizes, strides: Sizes, padding: Pairs, count_include_pad: bool, sizes: Sizes
) -> DoubleAvgPool:
    """Return the Cell for an input of these spatial sizes."""
    op = core.AvgPool(window, strides, padding, count_include_pad)
    return DoubleAvgPool(window, strides, padding, op.divisors(sizes))
