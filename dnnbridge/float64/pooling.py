"""Numbers of pools: a loop over the elements of the window."""

from __future__ import annotations

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.float64.convolution import cropped, offsets, padded
from dnnbridge.float64.rules import Rule
from dnnbridge.graph import Op
from dnnbridge.ops.windows import places


def _places(op: ops.MaxPool | ops.AvgPool, x: Array) -> tuple[int, ...]:
    ones = (1,) * len(op.window)
    return places("", x.shape[1:-1], op.window, op.strides, op.padding, ones)


def _max(op: ops.MaxPool, x: Array) -> Array:
    given, made = padded(x, op.padding, -np.inf), _places(op, x)
    y = np.full((len(x), *made, x.shape[-1]), -np.inf)
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        np.maximum(y, given[where], out=y)
    return y


def _max_vjp(op: ops.MaxPool, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    given, made = padded(xs[0], op.padding, -np.inf), y.shape[1:-1]
    dx, open_ = np.zeros(given.shape), np.ones(y.shape, bool)
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        first = open_ & (given[where] == y)
        dx[where] += np.where(first, dy, 0.0)
        open_ &= ~first
    return (cropped(dx, op.padding),)


def _avg(op: ops.AvgPool, x: Array) -> Array:
    given, made = padded(x, op.padding), _places(op, x)
    total = np.zeros((len(x), *made, x.shape[-1]))
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        total += given[where]
    return np.asarray(total / op.divisors(x.shape[1:-1]))


def _avg_vjp(op: ops.AvgPool, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    dx, made = np.zeros(padded(x, op.padding).shape), y.shape[1:-1]
    share = dy / op.divisors(x.shape[1:-1])
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        dx[where] += share
    return (cropped(dx, op.padding),)


RULES: dict[type[Op], Rule] = {
    ops.AvgPool: Rule(_avg, _avg_vjp),
    ops.MaxPool: Rule(_max, _max_vjp),
}
