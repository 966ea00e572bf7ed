"""An operation in float64: the forward function and its vector-Jacobian product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array


class Rule(NamedTuple):
    """How to compute one operation and its derivative.

    Attributes:
        forward: (op, *inputs) -> output.
        vjp: (op, inputs, output, cotangent of the output) -> a cotangent per input, or None for
            one that has no derivative.
    """

    forward: Callable[..., Array]
    vjp: Callable[[Any, tuple[Array, ...], Array, Array], tuple[Array | None, ...]]


def unbroadcast(cotangent: Array, shape: tuple[int, ...]) -> Array:
    """Sum a cotangent over the axes along which an operand of `shape` was broadcast."""
    extra = cotangent.ndim - len(shape)
    summed = cotangent.sum(axis=tuple(range(extra)))
    axes = tuple(i for i, size in enumerate(shape) if size == 1 and summed.shape[i] != 1)
    return np.asarray(summed.sum(axis=axes, keepdims=True) if axes else summed)


def without_derivative(forward: Callable[..., Array]) -> Rule:
    """Make a rule without derivatives."""
    return Rule(forward, lambda op, xs, y, dy: tuple(None for _ in xs))
