"""Penalties that are added to the loss: of weights, or of what a layer gives."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.fields import NonNegativeFloat
from dnnbridge.graph import Value
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec, named_or_none, spec


class AbstractRegularizer(Spec):
    """Base of regularizers. A subclass defines `penalty`.

    The penalty of weights is added to the loss once a step, whatever the batch. That of a layer's
    output is the mean of the penalties of the examples. Weights that are frozen have none.
    """

    @abstractmethod
    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        """Write the penalty of x, summed over these axes; all of them for weights."""

    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the penalty of weights: a scalar."""
        return self.penalty(x, tuple(range(x.rank)))

    def per_example(self, x: Value) -> Value:
        """Write the penalty of every example of an output."""
        return self.penalty(x, tuple(range(1, x.rank)))


@spec
class L1(AbstractRegularizer):
    """l1 · Σ |x|; the derivative at 0 is 0

    Example:
        >>> L1(0.01).l1
        0.01
    """

    l1: NonNegativeFloat = 0.01

    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        return self.l1 * ops.reduce_sum(ops.abs(x), axes)


@spec
class L2(AbstractRegularizer):
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
class L1L2(AbstractRegularizer):
    """l1 · Σ |x| + l2 · Σ x²

    Example:
        >>> L1L2(l1=0.01, l2=0.1).l2
        0.1
    """

    l1: NonNegativeFloat = 0.0
    l2: NonNegativeFloat = 0.0

    def penalty(self, x: Value, axes: tuple[int, ...]) -> Value:
        return L1(self.l1).penalty(x, axes) + L2(self.l2).penalty(x, axes)


as_regularizer = named_or_none(AbstractRegularizer)

RegularizerLike = Annotated[str | AbstractRegularizer | None, PlainValidator(as_regularizer)]
"""Field of a regularizer, its name, or None."""
