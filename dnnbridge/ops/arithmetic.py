"""Arithmetic: the operations that a value's operators record, and how they are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import Op
from dnnbridge.graph.arithmetic import Add, Div, Greater, MatMul, Mul, Neg, Sub
from dnnbridge.ops.rule import Rule, unbroadcast, without_derivative


def unary(forward: Callable[[Array], Array], derivative: Callable[[Array, Array], Array]) -> Rule:
    """Make a rule of f(x) and of f'(x), given x and f(x)."""
    return Rule(lambda op, x: forward(x), lambda op, xs, y, dy: (dy * derivative(xs[0], y),))


def binary(
    forward: Callable[[Array, Array], Array], partials: Callable[[Array, Array], tuple[Any, Any]]
) -> Rule:
    """Make a rule of f(a, b) and of both partial derivatives."""

    def vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
        a, b = xs
        da, db = partials(a, b)
        return unbroadcast(dy * da, a.shape), unbroadcast(dy * db, b.shape)

    return Rule(lambda op, a, b: forward(a, b), vjp)


def _matmul_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    x, w = xs
    rows, row_cotangents = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ w.T, rows.T @ row_cotangents


RULES: dict[type[Op], Rule] = {
    Neg: unary(lambda x: -x, lambda x, y: np.full_like(x, -1.0)),
    Add: binary(np.add, lambda a, b: (1.0, 1.0)),
    Sub: binary(np.subtract, lambda a, b: (1.0, -1.0)),
    Mul: binary(np.multiply, lambda a, b: (b, a)),
    Div: binary(np.divide, lambda a, b: (1.0 / b, -(a / b) / b)),
    MatMul: Rule(lambda op, x, w: x @ w, _matmul_vjp),
    Greater: without_derivative(lambda op, a, b: a > b),
}
