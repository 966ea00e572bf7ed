"""Numbers of the elementwise operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.float64.rules import Rule, unbroadcast
from dnnbridge.graph import Op

_DTYPES = {"float32": np.float64, "int32": np.int32, "bool": np.bool_}


def _unary(forward: Callable[[Array], Array], derivative: Callable[[Array, Array], Array]) -> Rule:
    """Make a rule of f(x) and of f'(x), given x and f(x)."""
    return Rule(lambda op, x: forward(x), lambda op, xs, y, dy: (dy * derivative(xs[0], y),))


def _binary(
    forward: Callable[[Array, Array], Array], partials: Callable[[Array, Array], tuple[Any, Any]]
) -> Rule:
    """Make a rule of f(a, b) and of both partial derivatives."""

    def vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
        a, b = xs
        da, db = partials(a, b)
        return unbroadcast(dy * da, a.shape), unbroadcast(dy * db, b.shape)

    return Rule(lambda op, a, b: forward(a, b), vjp)


def _flat(forward: Callable[..., Array]) -> Rule:
    """Make a rule without derivatives."""
    return Rule(forward, lambda op, xs, y, dy: tuple(None for _ in xs))


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, e, 1.0) / (1.0 + e))


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _select_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array | None, ...]:
    condition, a, b = xs
    zero = np.zeros(())
    da, db = np.where(condition, dy, zero), np.where(condition, zero, dy)
    return None, unbroadcast(da, a.shape), unbroadcast(db, b.shape)


def _choice(
    forward: Callable[[Array, Array], Array], keep: Callable[[Array, Array], Array]
) -> Rule:
    """Make a rule of one of two numbers; an infinite cotangent is not multiplied by 0."""

    def vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
        _, da, db = _select_vjp(op, (keep(*xs), *xs), y, dy)
        return np.asarray(da), np.asarray(db)

    return Rule(lambda op, a, b: forward(a, b), vjp)


def _clip_vjp(op: ops.Clip, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    return (np.where((x >= op.low) & (x <= op.high), dy, 0.0),)


RULES: dict[type[Op], Rule] = {
    ops.Neg: _unary(lambda x: -x, lambda x, y: np.full_like(x, -1.0)),
    ops.Abs: _unary(np.abs, lambda x, y: np.sign(x)),
    ops.Sign: _unary(np.sign, lambda x, y: np.zeros_like(x)),
    ops.Square: _unary(np.square, lambda x, y: 2.0 * x),
    ops.Sqrt: _unary(np.sqrt, lambda x, y: 0.5 / y),
    ops.Exp: _unary(np.exp, lambda x, y: y),
    ops.Expm1: _unary(np.expm1, lambda x, y: np.exp(x)),
    ops.Erfc: _unary(_erfc, lambda x, y: -2.0 / math.sqrt(math.pi) * np.exp(-x * x)),
    ops.Log: _unary(np.log, lambda x, y: 1.0 / x),
    ops.Relu: _unary(lambda x: np.maximum(x, 0.0), lambda x, y: (x > 0).astype(float)),
    ops.Sigmoid: _unary(_sigmoid, lambda x, y: y * (1.0 - y)),
    ops.Tanh: _unary(np.tanh, lambda x, y: 1.0 - y * y),
    ops.Softplus: _unary(lambda x: np.logaddexp(0.0, x), lambda x, y: _sigmoid(x)),
    ops.Add: _binary(np.add, lambda a, b: (1.0, 1.0)),
    ops.Sub: _binary(np.subtract, lambda a, b: (1.0, -1.0)),
    ops.Mul: _binary(np.multiply, lambda a, b: (b, a)),
    ops.Div: _binary(np.divide, lambda a, b: (1.0 / b, -(a / b) / b)),
    ops.Maximum: _choice(np.maximum, np.greater_equal),
    ops.Minimum: _choice(np.minimum, np.less_equal),
    ops.Clip: Rule(lambda op, x: np.clip(x, op.low, op.high), _clip_vjp),
    ops.Select: Rule(lambda op, condition, a, b: np.where(condition, a, b), _select_vjp),
    ops.Greater: _flat(lambda op, a, b: a > b),
    ops.Equal: _flat(lambda op, a, b: a == b),
    ops.Cast: _flat(lambda op, x: x.astype(_DTYPES[op.dtype])),
}
