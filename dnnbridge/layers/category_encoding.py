"""Whole numbers as vectors of zeros and ones, or of counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import PositiveInt, also
from dnnbridge.specs.spec import spec

_BINARY: Mapping[str, str] = {"binary": "multi_hot"}

Encoding = Annotated[Literal["one_hot", "multi_hot", "count"], also(_BINARY)]
"""How numbers become a vector; "binary" is Keras' former name of "multi_hot"."""


@spec
class CategoryEncoding(AbstractLayer):
    """Categories from 0 to num_tokens - 1 as vectors of num_tokens numbers

    The input is int32, or float32 with whole numbers. A category that is out of range gives zeros
    with "one_hot", as in Keras, and NaN otherwise, where Keras raises. The input gets no gradient.

    Args:
        num_tokens: the number of categories, the size of a vector.
        output_mode: "one_hot": a vector for each number, (batch, …) to (batch, …, num_tokens); an
            axis of size 1 at the end is replaced. "multi_hot": (batch, n) to (batch, num_tokens),
            1 for each category that is among the n numbers. "count": how often it is.

    Raises:
        ShapeError: "multi_hot" or "count" of an input that is not (batch, n).

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((3,), "int32"), CategoryEncoding(4)]).output_shape
        (None, 4)
        >>> Sequential([Input((3,), "int32"), CategoryEncoding(4, "one_hot")]).output_shape
        (None, 3, 4)
    """

    num_tokens: PositiveInt
    output_mode: Encoding = "multi_hot"

    def emit(self, scope: Scope, x: Value) -> Value:
        x = whole(x)
        strict = self.output_mode != "one_hot"
        valid = ops.reduce_sum(ops.one_hot(x, self.num_tokens), -1) if strict else None
        return encoded(scope, x, self.output_mode, self.num_tokens, valid)


def whole(x: Value) -> Value:
    """Return a value as int32."""
    return x if x.dtype == "int32" else ops.cast(x, "int32")


def encoded(scope: Scope, x: Value, mode: str, depth: int, valid: Value | None = None) -> Value:
    """Return vectors for int32 numbers; those outside of 0 to depth - 1 count for nothing.

    Args:
        scope: of the layer, for errors.
        x: the numbers.
        mode: "one_hot", "multi_hot" or "count".
        depth: the size of a vector.
        valid: 1 for each number that may be there, 0 for one that makes its vector NaN.
    """
    if mode == "one_hot":
        if x.rank > 1 and x.shape[-1] == 1:
            x = ops.reshape(x, x.shape[:-1])
            valid = None if valid is None else ops.reshape(valid, x.shape)
        made = ops.one_hot(x, depth)
        return made if valid is None else made * ops.reshape(_or_nan(scope, valid), (*x.shape, 1))
    scope.require(
        x.rank == 2,
        f'"{mode}" takes n numbers for each example, (batch, n)',
        got=f"shape ({shape_text(x.shape)})",
        hint='Put a Flatten before it, or write output_mode="one_hot".',
    )
    hot = ops.one_hot(x, depth)
    made = ops.reduce_sum(hot, 1) if mode == "count" else ops.reduce_max(hot, 1)
    if valid is None:
        return made
    return made * _or_nan(scope, 1.0 - ops.reduce_max(1.0 - valid, 1, keepdims=True))


def _or_nan(scope: Scope, valid: Value) -> Value:
    """Return 1 where a value is 1, and NaN where it is 0."""
    return ops.take(scope.constant(np.ones(1)), ops.cast(valid - 1.0, "int32"))
