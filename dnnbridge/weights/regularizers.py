"""Penalties that are added to the loss: for weights, or for the output of a layer."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.emit.calling import value_of
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.json_types import NULL, by_name, of_kind, read_as
from dnnbridge.specs.resolving import named_or_none
from dnnbridge.specs.spec import Spec, spec

LEAST_SQUARE = 1e-14
"""Lower bound of a squared norm; Keras' lower bound of a norm is 1e-7."""


class AbstractRegularizer(Spec):
    """Base of regularizers. A subclass defines `emit`.

    The penalty of weights is added to the loss once per step, whatever the batch size. Frozen
    weights have no penalty.
    """

    @abstractmethod
    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the penalty of weights: a scalar."""

    def __call__(self, x: Any) -> float:
        """Return the penalty of an array, in float64.

        Example:
            >>> L2(0.1)([1.0, 2.0])
            0.5
        """
        return float(value_of(self.emit, x))


class AbstractSummedRegularizer(AbstractRegularizer):
    """Base of regularizers that sum a term over elements. A subclass defines `penalty`.

    These also work for the output of a layer: the loss then includes the mean penalty over the
    examples, as in Keras.
    """

    @abstractmethod
    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Write the penalty of x, summed over these axes."""

    def emit(self, scope: Scope, x: Value) -> Value:
        return self.penalty(x, tuple(range(x.rank)))

    def per_example(self, x: Value) -> Value:
        """Write the penalty of every example of an output."""
        return self.penalty(x, tuple(range(1, x.rank)))


@spec
class L1(AbstractSummedRegularizer):
    """l1 · Σ |x|; the derivative at 0 is 0

    Example:
        >>> L1(0.01).l1
        0.01
    """

    l1: NonNegativeFloat = 0.01

    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        return self.l1 * ops.reduce_sum(ops.abs(x), axes)


@spec
class L2(AbstractSummedRegularizer):
    """l2 · Σ x², without a half, as in Keras

    The gradient is 2 · l2 · x: a `CoupledWeightDecay(2 * l2)`, or MindSpore's weight_decay=2 * l2.

    Example:
        >>> L2(0.01).l2
        0.01
    """

    l2: NonNegativeFloat = 0.01

    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        return self.l2 * ops.reduce_sum(ops.square(x), axes)


@spec
class L1L2(AbstractSummedRegularizer):
    """l1 · Σ |x| + l2 · Σ x²

    Example:
        >>> L1L2(l1=0.01, l2=0.1).l2
        0.1
    """

    l1: NonNegativeFloat = 0.0
    l2: NonNegativeFloat = 0.0

    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        return L1(self.l1).penalty(x, axes) + L2(self.l2).penalty(x, axes)


@spec
class OrthogonalRegularizer(AbstractRegularizer):
    """factor · the mean of |cos| of the angle between any two rows, or columns, of the weights

    Like `keras.regularizers.OrthogonalRegularizer`, which takes matrices only. Weights with more
    axes count as a matrix of shape (…, last): the columns of a kernel are its filters. A single
    row or column has no penalty; Keras gives NaN. Use it for weights, not for layer outputs.

    Args:
        factor: factor of the mean.
        mode: "rows" or "columns".

    Example:
        >>> OrthogonalRegularizer(0.1, "columns").factor
        0.1
    """

    factor: NonNegativeFloat = 0.01
    mode: Literal["rows", "columns"] = "rows"

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank >= 2,
            "OrthogonalRegularizer needs weights with two axes or more",
            got=f"({shape_text(x.shape)})",
            hint='Apply it to kernels only, as in {"*/kernel": OrthogonalRegularizer()}.',
        )
        rows, columns = (scope.known(n, "the penalty") for n in (_size(x.shape[:-1]), x.shape[-1]))
        matrix = ops.reshape(x, (rows, columns))
        if self.mode == "columns":
            matrix, rows = ops.transpose(matrix, (1, 0)), columns
        squares = ops.reduce_sum(ops.square(matrix), 1, keepdims=True)
        unit = matrix / ops.sqrt(ops.maximum(squares, LEAST_SQUARE))
        others = scope.constant_of((rows, rows), lambda: 1.0 - np.eye(rows))
        cosines = ops.abs(unit @ ops.transpose(unit, (1, 0))) * others
        pairs = max(rows * (rows - 1), 1)
        return self.factor / pairs * ops.reduce_sum(cosines, (0, 1))


def _size(shape: tuple[int | None, ...]) -> int | None:
    return None if None in shape else math.prod(n for n in shape if n is not None)


as_regularizer = named_or_none(AbstractRegularizer)

REGULARIZER_FORMS = (of_kind(AbstractRegularizer), by_name(AbstractRegularizer), NULL)

RegularizerLike = Annotated[
    str | AbstractRegularizer | None, PlainValidator(as_regularizer), read_as(*REGULARIZER_FORMS)
]
"""Field of a regularizer, its name, or None."""


def as_activity_regularizer(value: Any) -> AbstractSummedRegularizer | None:
    """Return a regularizer for the output of a layer."""
    made = as_regularizer(value)
    if made is None or isinstance(made, AbstractSummedRegularizer):
        return made
    raise SpecError(
        "an output needs a regularizer that sums over elements",
        got=shorten(value),
        hint="Use L1, L2 or L1L2.",
    )


ActivityRegularizerLike = Annotated[
    str | AbstractSummedRegularizer | None,
    PlainValidator(as_activity_regularizer),
    read_as(of_kind(AbstractSummedRegularizer), by_name(AbstractSummedRegularizer), NULL),
]
"""Field of a regularizer of the output of a layer, its name, or None."""
