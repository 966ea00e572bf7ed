"""Cells that read, add up and write rows of tables by index."""

from __future__ import annotations

import math
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

Tensor = Any

GATHER = ops.Gather()

NAN = ms.Tensor(np.nan, ms.float32)
"""A tensor, as MindSpore finds its notes on a graph by its numbers, and NaN equals no number."""


class Take(nn.Cell):
    """Rows by index, NaN if out of range; `ops.gather` gives 0 there, or raises"""

    def construct(self, table: Tensor, indices: Tensor) -> Tensor:
        last = table.shape[0] - 1
        inside = ops.clamp(indices, 0, last)
        known = ops.reshape(ops.equal(inside, indices), indices.shape + (1,) * (table.ndim - 1))
        return ops.where(known, ops.gather(table, inside, 0), ops.cast(NAN, table.dtype))


class SumRepeats(nn.Cell):
    """Each row replaced by the sum of all rows with the same index

    The position of each row is written into an array of the table's length, at the row's index. For
    rows with equal indices, any one position remains and represents all of them. No other elements
    of that array are read, so it is never cleared.

    Args:
        size: number of rows of the table.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        start = ms.Tensor(np.zeros(size, np.int32))
        self.rows_at = ms.Parameter(start, name=f"place_of_{size}", requires_grad=False)
        self.put, self.sum = ops.ScatterUpdate(), ops.UnsortedSegmentSum()

    def construct(self, rows: Tensor, indices: Tensor) -> Tensor:
        count = _product(indices.shape)
        flat = ops.reshape(indices, (count,))
        places = self.put(self.rows_at, flat, _numbers(count))
        chosen = GATHER(places, flat, 0)
        totals = self.sum(ops.reshape(rows, (count, -1)), chosen, count)
        return ops.reshape(GATHER(totals, chosen, 0), rows.shape)


class PutRows(nn.Cell):
    """A copy of the table with new rows"""

    def construct(self, table: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
        flat = ops.reshape(rows, (-1, *table.shape[1:]))
        return ops.tensor_scatter_update(table, ops.reshape(indices, (-1, 1)), flat)


class Gather(nn.Cell):
    """Rows of several arrays by index; the serial number of the Cell is not used"""

    def construct(self, serial: int, index: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
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
