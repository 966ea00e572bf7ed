"""Cells for rows of tables by their index."""

from __future__ import annotations

import math
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

Tensor = Any

GATHER = ops.Gather()


class Take(nn.Cell):
    """Rows by index, NaN where the table has none; `ops.gather` gives 0 there, or raises"""

    def construct(self, table: Tensor, indices: Tensor) -> Tensor:
        last = table.shape[0] - 1
        inside = ops.clamp(indices, 0, last)
        known = ops.reshape(ops.equal(inside, indices), indices.shape + (1,) * (table.ndim - 1))
        return ops.where(known, ops.gather(table, inside, 0), float("nan"))


class SumRepeats(nn.Cell):
    """Each row as the sum of all that have its index

    The places of the rows are written into an array as long as the table, at their indices: one of
    those that have an index in common stays, whichever, and stands for all. Nothing else of that
    array is read, so it is never cleared.

    Args:
        size: rows of the table.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        start = ms.Tensor(np.zeros(size, np.int32))
        self.place = ms.Parameter(start, name=f"place_of_{size}", requires_grad=False)
        self.put, self.sum = ops.ScatterUpdate(), ops.UnsortedSegmentSum()

    def construct(self, rows: Tensor, indices: Tensor) -> Tensor:
        count = _product(indices.shape)
        flat = ops.reshape(indices, (count,))
        places = self.put(self.place, flat, _numbers(count))
        chosen = GATHER(places, flat, 0)
        totals = self.sum(ops.reshape(rows, (count, -1)), chosen, count)
        return ops.reshape(GATHER(totals, chosen, 0), rows.shape)


class PutRows(nn.Cell):
    """A copy of the table with rows put into it"""

    def construct(self, table: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
        flat = ops.reshape(rows, (-1, *table.shape[1:]))
        return ops.tensor_scatter_update(table, ops.reshape(indices, (-1, 1)), flat)


class Gather(nn.Cell):
    """Rows of arrays by number"""

    def construct(self, index: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
        made: tuple[Tensor, ...] = ()
        for array in arrays:
            made = (*made, GATHER(array, index, 0))
        return made


@ops.constexpr  # type: ignore[untyped-decorator]
def _numbers(count: int) -> Tensor:
    return ms.Tensor(np.arange(count, dtype=np.int32))


@ops.constexpr  # type: ignore[untyped-decorator]
def _product(sizes: tuple[int, ...]) -> int:
    return math.prod(sizes)
