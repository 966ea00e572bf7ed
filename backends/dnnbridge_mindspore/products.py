"""Convolutions as matrix products, with the channels last."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import Pad
from dnnbridge_mindspore.slices import Sizes, Slices, cuts

Tensor = Any
Pairs = tuple[tuple[int, int], ...]


class AbstractSlices(nn.Cell):
    """The inputs below each window place as a row

    The axes are sliced one after the other, so that few slices are enough and compile fast.
    """

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes) -> None:
        super().__init__()
        self.strides, self.dilation = strides, dilation
        self.pads = (0, 0, *(count for pair in reversed(padding) for count in pair))
        self.pad, self.slices = Pad(), Slices()

    def beside(self, x: Tensor, window: Sizes) -> tuple[Tensor, Sizes]:
        """Return the rows, and the shape (batch, *places, row length)."""
        x = self.pad(x, self.pads)
        along, shape = cuts(x.shape, window, self.strides, self.dilation)
        for cut in along:
            x = ops.cat(self.slices(x, cut), -1)
        return ops.reshape(x, (-1, shape[-1])), shape


class ConvSlices(AbstractSlices):
    """`ops.Conv` with one group"""

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes) -> None:
        super().__init__(strides, padding, dilation)
        self.multiply = ops.MatMul()

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        rows, shape = self.beside(x, kernel.shape[:-2])
        filters = kernel.shape[-1]
        made = self.multiply(rows, ops.reshape(kernel, (-1, filters)))
        return ops.reshape(made, (*shape[:-1], filters))


class GroupedSlices(AbstractSlices):
    """`ops.Conv` with several groups: one product for each"""

    def __init__(self, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> None:
        super().__init__(strides, padding, dilation)
        self.groups, self.multiply = groups, ops.BatchMatMul()

    def construct(self, x: Tensor, kernel: Tensor) -> Tensor:
        rows, shape = self.beside(x, kernel.shape[:-2])
        share, filters = kernel.shape[-2:]
        rows = ops.reshape(rows, (rows.shape[0], -1, self.groups, share))
        rows = ops.transpose(rows, (2, 0, 1, 3))
        kernel = ops.reshape(kernel, (-1, self.groups, filters // self.groups))
        rows = ops.reshape(rows, (self.groups, -1, kernel.shape[0]))
        made = self.multiply(rows, ops.transpose(kernel, (1, 0, 2)))
        return ops.reshape(ops.transpose(made, (1, 0, 2)), (*shape[:-1], filters))
