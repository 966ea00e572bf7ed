"""Numbers of the operations that cut, widen and choose, and of products of stacked matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.float64.rules import Rule, unbroadcast
from dnnbridge.graph import Op

Inputs = tuple[Array, ...]


def _pad_vjp(op: ops.Pad, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    sizes = zip(op.pairs, xs[0].shape, strict=True)
    return (dy[tuple(slice(before, before + size) for (before, _), size in sizes)],)


def _block(op: ops.Slice) -> tuple[slice, ...]:
    sizes = zip(op.starts, op.sizes, strict=True)
    return tuple(slice(s, None if size is None else s + size) for s, size in sizes)


def _slice_vjp(op: ops.Slice, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    cotangent = np.zeros(xs[0].shape)
    cotangent[_block(op)] = dy
    return (cotangent,)


def _broadcast_to(op: ops.BroadcastTo, x: Array) -> Array:
    shape = tuple(x.shape[0] if size is None else size for size in op.shape)
    return np.broadcast_to(x, shape)


def _known(table: Array, indices: Array) -> Array:
    return np.asarray((indices >= 0) & (indices < len(table)))


def _take(op: Any, table: Array, indices: Array) -> Array:
    rows = np.array(table[indices.clip(0, len(table) - 1)])
    rows[~_known(table, indices)] = np.nan
    return rows


def _take_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array, None]:
    table, indices = xs
    cotangent, known = np.zeros(table.shape), _known(table, indices)
    np.add.at(cotangent, indices[known], dy[known])
    return cotangent, None


def _sum_repeats(op: ops.SumRepeats, rows: Array, indices: Array) -> Array:
    totals = np.zeros((op.size, *rows.shape[indices.ndim :]))
    np.add.at(totals, indices, rows)
    return np.asarray(totals[indices])


def _put_rows(op: Any, table: Array, indices: Array, rows: Array) -> Array:
    made = table.copy()
    made[indices] = rows
    return made


def _batch_matmul_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array, Array]:
    a, b = xs
    return dy @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ dy


RULES: dict[type[Op], Rule] = {
    ops.BatchMatMul: Rule(lambda op, a, b: a @ b, _batch_matmul_vjp),
    ops.BroadcastTo: Rule(_broadcast_to, lambda op, xs, y, dy: (unbroadcast(dy, xs[0].shape),)),
    ops.Pad: Rule(lambda op, x: np.pad(x, op.pairs, constant_values=op.value), _pad_vjp),
    ops.PutRows: Rule(_put_rows, lambda op, xs, y, dy: (None, None, None)),
    ops.Reverse: Rule(
        lambda op, x: np.flip(x, op.axes), lambda op, xs, y, dy: (np.flip(dy, op.axes),)
    ),
    ops.Slice: Rule(lambda op, x: x[_block(op)], _slice_vjp),
    ops.SumRepeats: Rule(_sum_repeats, lambda op, xs, y, dy: (_sum_repeats(op, dy, xs[1]), None)),
    ops.Take: Rule(_take, _take_vjp),
}
