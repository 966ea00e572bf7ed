"""Numbers of the operations over an axis, and of those that move elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.float64.rules import Rule
from dnnbridge.graph import Op

Inputs = tuple[Array, ...]


def _spread(op: Any, cotangent: Array, shape: tuple[int, ...]) -> Array:
    """Repeat a cotangent along the axes that a reduction removed."""
    kept = cotangent if op.keepdims else np.expand_dims(cotangent, op.axes)
    return np.broadcast_to(kept, shape)


def _sum_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    return (_spread(op, dy, xs[0].shape),)


def _mean_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    return (_spread(op, dy, xs[0].shape) * (y.size / xs[0].size),)


def _max_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    largest = (x == _spread(op, y, x.shape)).astype(float)
    return (_spread(op, dy, x.shape) * largest / largest.sum(op.axes, keepdims=True),)


def _log_softmax(op: Any, x: Array) -> Array:
    shifted = x - x.max(op.axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(op.axis, keepdims=True)))


def _log_softmax_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    return (dy - np.exp(y) * dy.sum(op.axis, keepdims=True),)


def _softmax(op: Any, x: Array) -> Array:
    e = np.exp(x - x.max(op.axis, keepdims=True))
    return np.asarray(e / e.sum(op.axis, keepdims=True))


def _softmax_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array]:
    return (y * (dy - (dy * y).sum(op.axis, keepdims=True)),)


def _matmul_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array, Array]:
    x, w = xs
    rows, row_cotangents = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ w.T, rows.T @ row_cotangents


def _concat_vjp(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[Array, ...]:
    ends = np.cumsum([x.shape[op.axis] for x in xs])[:-1]
    return tuple(np.split(dy, ends, op.axis))


def _none(op: Any, xs: Inputs, y: Array, dy: Array) -> tuple[None]:
    return (None,)


def _reshape(op: ops.Reshape, x: Array) -> Array:
    return x.reshape([-1 if size is None else size for size in op.shape])


RULES: dict[type[Op], Rule] = {
    ops.Concat: Rule(lambda op, *xs: np.concatenate(xs, op.axis), _concat_vjp),
    ops.MatMul: Rule(lambda op, x, w: x @ w, _matmul_vjp),
    ops.ReduceSum: Rule(lambda op, x: x.sum(op.axes, keepdims=op.keepdims), _sum_vjp),
    ops.ReduceMean: Rule(lambda op, x: x.mean(op.axes, keepdims=op.keepdims), _mean_vjp),
    ops.ReduceMax: Rule(lambda op, x: x.max(op.axes, keepdims=op.keepdims), _max_vjp),
    ops.LogSoftmax: Rule(_log_softmax, _log_softmax_vjp),
    ops.Softmax: Rule(_softmax, _softmax_vjp),
    ops.ArgMax: Rule(lambda op, x: x.argmax(op.axis).astype(np.int32), _none),
    ops.OneHot: Rule(lambda op, x: (x[..., None] == np.arange(op.depth)).astype(float), _none),
    ops.Reshape: Rule(_reshape, lambda op, xs, y, dy: (dy.reshape(xs[0].shape),)),
    ops.Transpose: Rule(
        lambda op, x: x.transpose(op.permutation),
        lambda op, xs, y, dy: (dy.transpose(np.argsort(op.permutation)),),
    ),
}
