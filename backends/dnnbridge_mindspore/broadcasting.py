"""Sums, differences and products of an array and a smaller one, with their own derivatives.

The derivative by the smaller one is a sum over the axes along which it was repeated. MindSpore's
takes 4 to 20 times as long over some axes of many as over one of two, and adds row after row: the
sum of 65,536 numbers in (0, 1) is off by 5e-6, as `SumColumns` makes it by 2e-7.
"""

from __future__ import annotations

import math
from typing import Any

from mindspore import nn, ops

from dnnbridge.backend import TensorType
from dnnbridge_mindspore.reductions import SUM, SumColumns

Tensor = Any


class OverRows(nn.Cell):
    """Σ over the rows of an array of two axes: the smaller one has the other axis alone"""

    def __init__(self) -> None:
        super().__init__()
        self.sum_columns, self.add = SumColumns(), ops.BiasAdd()

    def construct(self, d: Tensor, small: Tensor) -> Tensor:
        return self.sum_columns(d)

    def wide(self, small: Tensor, x: Tensor) -> Tensor:
        return small

    def added(self, x: Tensor, small: Tensor) -> Tensor:
        """Add as a bias, in half the time."""
        return self.add(x, small)


class OverFirst(OverRows):
    """Σ over the first axes: those of the smaller array, of `size` elements, are the last ones"""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def construct(self, d: Tensor, small: Tensor) -> Tensor:
        return ops.reshape(self.sum_columns(ops.reshape(d, (-1, self.size))), small.shape)

    def added(self, x: Tensor, small: Tensor) -> Tensor:
        rows = self.add(ops.reshape(x, (-1, self.size)), ops.reshape(small, (-1,)))
        return ops.reshape(rows, x.shape)


class OverLast(nn.Cell):
    """Σ over the last axes, of `size` elements, where the smaller array has ones"""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def construct(self, d: Tensor, small: Tensor) -> Tensor:
        return ops.reshape(SUM(ops.reshape(d, (-1, self.size)), 1), small.shape)

    def wide(self, small: Tensor, x: Tensor) -> Tensor:
        """Repeat the smaller array as a product with ones does, twice as fast as by itself."""
        ones = ops.ones((1, self.size), x.dtype)
        return ops.reshape(ops.matmul(ops.reshape(small, (-1, 1)), ones), x.shape)

    def added(self, x: Tensor, small: Tensor) -> Tensor:
        return ops.add(x, self.wide(small, x))


class OverChannels(nn.Cell):
    """Σ over all axes but the second: the smaller array has a number for each channel"""

    def __init__(self) -> None:
        super().__init__()
        self.sum_columns, self.add, self.product = SumColumns(), ops.BiasAdd(), ops.MatMul()

    def construct(self, d: Tensor, small: Tensor) -> Tensor:
        n, channels = d.shape[0], d.shape[1]
        total = SUM(ops.reshape(d, (n * channels, -1)), 1)
        return ops.reshape(self.sum_columns(ops.reshape(total, (n, channels))), small.shape)

    def wide(self, small: Tensor, x: Tensor) -> Tensor:
        """Repeat it over space, as a product with ones; over the examples it repeats itself."""
        space = ops.reshape(x, (x.shape[0] * x.shape[1], -1)).shape[1]
        one = self.product(ops.reshape(small, (-1, 1)), ops.ones((1, space), x.dtype))
        return ops.reshape(one, (1, *x.shape[1:]))

    def added(self, x: Tensor, small: Tensor) -> Tensor:
        rows = ops.reshape(x, (x.shape[0], x.shape[1], -1, x.shape[-1]))
        return ops.reshape(self.add(rows, ops.reshape(small, (-1,))), x.shape)


class AbstractRepeated(nn.Cell):
    """A function of x and a smaller array, given the Cell that sums over what it is repeated by"""

    def __init__(self, over: nn.Cell) -> None:
        super().__init__()
        self.over = over


class Add(AbstractRepeated):
    """x + small"""

    def construct(self, x: Tensor, small: Tensor) -> Tensor:
        return self.over.added(x, small)

    def bprop(self, x: Tensor, small: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        return dout, self.over(dout, small)


class Sub(AbstractRepeated):
    """x - small, as a sum, which takes half the time"""

    def construct(self, x: Tensor, small: Tensor) -> Tensor:
        return self.over.added(x, ops.neg(small))

    def bprop(self, x: Tensor, small: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        return dout, ops.neg(self.over(dout, small))


class Mul(AbstractRepeated):
    """x · small"""

    def construct(self, x: Tensor, small: Tensor) -> Tensor:
        return ops.mul(x, self.over.wide(small, x))

    def bprop(self, x: Tensor, small: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        return ops.mul(dout, self.over.wide(small, x)), self.over(ops.mul(dout, x), small)


def repetition(full: TensorType, small: TensorType) -> str | None:
    """Write the Cell that sums over the axes along which an array is repeated, if there is one."""
    if full.shape == small.shape or math.prod(size or 2 for size in small.shape) == 1:
        return None
    if full.rank == 2 and small.shape == full.shape[1:]:
        return "kernels.OverRows()"
    sizes = list(small.shape)
    while sizes[0] == 1:
        del sizes[0]
    if full.rank >= small.rank and sizes == list(full.shape[full.rank - len(sizes) :]):
        known = [size for size in sizes if size is not None]
        return f"kernels.OverFirst({math.prod(known)})" if known == sizes else None
    ones = full.rank
    while small.rank == full.rank and small.shape[ones - 1] == 1:
        ones -= 1
    if ones < full.rank and full.shape[:ones] == small.shape[:ones]:
        return f"kernels.OverLast({math.prod(size or 1 for size in full.shape[ones:])})"
    return None
