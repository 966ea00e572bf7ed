"""Cells that reduce over an axis.

MindSpore reduces one axis of two up to 20 times as fast as some axes of more. A product with ones
broadcasts a number over a row 20 times as fast as `ops.broadcast_to`. So the last axes are reduced
as rows and the first ones as columns.
"""

from __future__ import annotations

import math
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.exponential import AccurateExp

Tensor = Any

SUM, SUM_KEPT = ops.ReduceSum(), ops.ReduceSum(True)
"""Primitives; `ops.sum` takes 40 ms more to compile at every use."""


class SumLast(nn.Cell):
    """Σ over the last axes

    Args:
        start: the first of them.
        kept: a 1 for each of them if the axes are kept, else empty.
    """

    def __init__(self, start: int, kept: tuple[int, ...]) -> None:
        super().__init__()
        self.start, self.kept = start, kept

    def construct(self, x: Tensor) -> Tensor:
        total = SUM(ops.reshape(x, (-1, _product(x.shape[self.start :]))), 1)
        return ops.reshape(total, x.shape[: self.start] + self.kept)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        ones = ops.ones((1, _product(x.shape[self.start :])), x.dtype)
        return (ops.reshape(ops.matmul(ops.reshape(dout, (-1, 1)), ones), x.shape),)


MANY = 4096
"""Smallest number of rows that a product with ones adds in blocks instead of one by one."""

FEW = 64
"""Largest number of rows added one by one; the error is 1.1e-7 for numbers in (0, 1)."""


@ops.constexpr  # type: ignore[untyped-decorator]
def _groups(rows: int) -> int:
    """Return the largest divisor up to the square root, or 1 for many rows."""
    return 1 if rows >= MANY else _largest_divisor(rows)


@ops.constexpr  # type: ignore[untyped-decorator]
def _root(rows: int) -> int:
    return _largest_divisor(rows)


def _largest_divisor(rows: int) -> int:
    return max(k for k in range(1, math.isqrt(rows) + 1) if rows % k == 0)


@ops.constexpr  # type: ignore[untyped-decorator]
def _are_few(rows: int) -> int:
    return int(rows <= FEW)


class OneByOne(nn.Cell):
    """The sums of the columns of (n, m), as (m,), added row by row"""

    def construct(self, columns: Tensor) -> Tensor:
        return SUM(columns, (0,))


class InGroups(nn.Cell):
    """The same, added in √n groups

    Row by row, the error is 4e-7 for 768 numbers in (0, 1). The difference of sums in a
    BatchNormalization has ten times that. In groups the error is 2e-7.
    """

    def construct(self, columns: Tensor) -> Tensor:
        n, m = columns.shape
        rows = ops.reshape(SUM(ops.reshape(columns, (_groups(n), -1)), (0,)), (-1, m))
        return ops.reshape(ops.matmul(ops.ones((1, rows.shape[0]), columns.dtype), rows), (m,))


class SumColumns(nn.Cell):
    """The same by the better way for n; an `if` does not compile in the derivative of a loop"""

    def __init__(self) -> None:
        super().__init__()
        self.ways = nn.CellList([InGroups(), OneByOne()])

    def construct(self, columns: Tensor) -> Tensor:
        return self.ways[_are_few(columns.shape[0])](columns)


class SumFirst(nn.Cell):
    """Σ over the first axes

    Args:
        stop: the first axis after them.
        kept: a 1 for each of them if the axes are kept, else empty.
    """

    def __init__(self, stop: int, kept: tuple[int, ...]) -> None:
        super().__init__()
        self.stop, self.kept, self.sum_columns = stop, kept, SumColumns()

    def construct(self, x: Tensor) -> Tensor:
        total = self.sum_columns(ops.reshape(x, (_product(x.shape[: self.stop]), -1)))
        return ops.reshape(total, self.kept + x.shape[self.stop :])

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        ones = ops.ones((_product(x.shape[: self.stop]), 1), x.dtype)
        return (ops.reshape(ops.matmul(ones, ops.reshape(dout, (1, -1))), x.shape),)


class SumMiddle(nn.Cell):
    """Σ over adjacent axes that are neither the first nor the last, in √n groups

    Products with ones take a fifth of the time: 0.4 ms instead of 1.9 for 32 images of 32×32×16.

    Args:
        start: the first of them.
        stop: the first axis after them.
        kept: a 1 for each of them if the axes are kept, else empty.
    """

    def __init__(self, start: int, stop: int, kept: tuple[int, ...]) -> None:
        super().__init__()
        self.start, self.stop, self.kept = start, stop, kept
        self.multiply = ops.BatchMatMul()

    def construct(self, x: Tensor) -> Tensor:
        n, m = _product(x.shape[: self.start]), _product(x.shape[self.start : self.stop])
        groups = _root(m)
        total = self.added(ops.reshape(x, (n, groups, -1)))
        total = self.added(ops.reshape(total, (n, m // groups, -1)))
        return ops.reshape(total, x.shape[: self.start] + self.kept + x.shape[self.stop :])

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        n, m = _product(x.shape[: self.start]), _product(x.shape[self.start : self.stop])
        ones = ops.ones((n, m, 1), x.dtype)
        return (ops.reshape(self.multiply(ones, ops.reshape(dout, (n, 1, -1))), x.shape),)

    def added(self, rows: Tensor) -> Tensor:
        """Add the rows of each matrix."""
        return self.multiply(ops.ones((rows.shape[0], 1, rows.shape[1]), rows.dtype), rows)


class Mean(nn.Cell):
    """Σ / n; `over` computes the sum"""

    def __init__(self, over: nn.Cell) -> None:
        super().__init__()
        self.over = over

    def construct(self, x: Tensor) -> Tensor:
        total = self.over(x)
        return total * (total.size / x.size)


class Softmax(nn.Cell):
    """exp(x - max) / Σ; `ops.softmax` does not write the rows after a row of -inf"""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Tensor) -> Tensor:
        rows, axis = _rows(x, self.axis)
        e = ops.exp(rows - _wide(rows, ops.max(rows, axis, True)[0], axis))
        y = e * _wide(rows, ops.reciprocal(SUM_KEPT(e, axis)), axis)
        return ops.reshape(y, x.shape)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        y, axis = _rows(out, self.axis)
        d, _ = _rows(dout, self.axis)
        total = _wide(y, SUM_KEPT(d * y, axis), axis)
        return (ops.reshape(y * (d - total), x.shape),)


class LogSoftmax(nn.Cell):
    """x - max - log Σ exp(x - max); `ops.log_softmax` has an error of 4e-6"""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis, self.exp = axis, AccurateExp()

    def construct(self, x: Tensor) -> Tensor:
        rows, axis = _rows(x, self.axis)
        shifted = rows - _wide(rows, ops.max(rows, axis, True)[0], axis)
        y = shifted - _wide(rows, ops.log(SUM_KEPT(self.exp(shifted), axis)), axis)
        return ops.reshape(y, x.shape)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        y, axis = _rows(out, self.axis)
        d, _ = _rows(dout, self.axis)
        total = _wide(y, SUM_KEPT(d, axis), axis)
        return (ops.reshape(d - self.exp(y) * total, x.shape),)


def _rows(x: Tensor, axis: int) -> tuple[Tensor, int]:
    """Return x as rows if the axis is the last one, and the axis in the result."""
    if axis != x.ndim - 1:
        return x, axis
    return ops.reshape(x, (-1, x.shape[-1])), 1


def _wide(rows: Tensor, numbers: Tensor, axis: int) -> Tensor:
    """Broadcast one number per row to whole rows, as MindSpore broadcasts slowly."""
    if rows.ndim != 2 or axis != 1:
        return numbers
    return ops.matmul(numbers, ops.ones((1, rows.shape[1]), rows.dtype))


def _product(sizes: tuple[int, ...]) -> int:
    product = 1
    for size in sizes:
        product = product * size
    return product
