"""Operations that choose elements by their index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.rule import Rule


class Take(Op):
    """Rows of a table by their index; an index outside of the table gives a row of NaN

    The table has shape (n, ...) and indices any; the result has the shape of the indices, then
    that of a row. A row taken several times gets the sum of the gradients.
    """

    rounds = False
    moves = True

    def infer(self, *types: TensorType) -> TensorType:
        table, indices = types
        require_dtype(self, table, "float32")
        require_dtype(self, indices, "int32")
        if table.rank < 1 or None in table.shape:
            raise ShapeError(
                "Take needs a table without a batch axis",
                got=f"({shape_text(table.shape)})",
                hint="Give a table of shape (n, ...).",
            )
        return TensorType((*indices.shape, *table.shape[1:]))


@dataclass(frozen=True)
class SumRepeats(Op):
    """Each row as the sum of all rows that have its index

    Rows have the shape of the indices, then their own shape, as from `Take`. Rows with the same
    index become equal to the last bit.

    Attributes:
        size: number of rows of the table; all indices must be within it.
    """

    size: int

    def infer(self, *types: TensorType) -> TensorType:
        rows, indices = types
        require_dtype(self, rows, "float32")
        require_dtype(self, indices, "int32")
        _require_rows(self, rows, indices)
        return rows


class PutRows(Op):
    """The table with rows written at their indices, which must be within the table

    Rows with the same index must be equal. It is used after an update and has no derivative.
    """

    rounds = False
    moves = True

    def infer(self, *types: TensorType) -> TensorType:
        table, indices, rows = types
        require_dtype(self, table, "float32")
        require_dtype(self, indices, "int32")
        require_dtype(self, rows, "float32")
        _require_rows(self, rows, indices)
        if rows.shape[indices.rank :] != table.shape[1:] or not table.rank:
            raise ShapeError(
                "PutRows needs rows of the table's shape",
                got=f"({shape_text(rows.shape)}) for ({shape_text(table.shape)})",
            )
        return table


def _require_rows(op: Op, rows: TensorType, indices: TensorType) -> None:
    if not indices.rank or rows.shape[: indices.rank] != indices.shape:
        raise ShapeError(
            f"{type(op).__name__} needs a row for each index",
            got=f"({shape_text(rows.shape)}) for ({shape_text(indices.shape)})",
        )


def take(x: Value, indices: Value) -> Value:
    return x.builder.add(Take(), x, indices)


def sum_repeats(rows: Value, indices: Value, size: int) -> Value:
    return rows.builder.add(SumRepeats(size), rows, indices)


def put_rows(table: Value, indices: Value, rows: Value) -> Value:
    return table.builder.add(PutRows(), table, indices, rows)


def _known(table: Array, indices: Array) -> Array:
    return np.asarray((indices >= 0) & (indices < len(table)))


def _take(op: Any, table: Array, indices: Array) -> Array:
    rows = np.array(table[indices.clip(0, len(table) - 1)])
    rows[~_known(table, indices)] = np.nan
    return rows


def _take_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, None]:
    table, indices = xs
    cotangent, known = np.zeros(table.shape), _known(table, indices)
    np.add.at(cotangent, indices[known], dy[known])
    return cotangent, None


def _sum_repeats(op: SumRepeats, rows: Array, indices: Array) -> Array:
    totals = np.zeros((op.size, *rows.shape[indices.ndim :]))
    np.add.at(totals, indices, rows)
    return np.asarray(totals[indices])


def _put_rows(op: Any, table: Array, indices: Array, rows: Array) -> Array:
    made = table.copy()
    made[indices] = rows
    return made


RULES: dict[type[Op], Rule] = {
    Take: Rule(_take, _take_vjp),
    SumRepeats: Rule(_sum_repeats, lambda op, xs, y, dy: (_sum_repeats(op, dy, xs[1]), None)),
    PutRows: Rule(_put_rows, lambda op, xs, y, dy: (None, None, None)),
}
