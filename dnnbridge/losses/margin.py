"""Margin losses, which are 0 if the right answer leads by at least 1."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.base import AbstractLoss, per_example
from dnnbridge.losses.target import Target
from dnnbridge.specs.spec import spec

SIGNS = (-1.0, 1.0)
"""Labels of the hinge losses."""


@spec
class Hinge(AbstractLoss):
    """max(1 - y · prediction, 0) for labels y of -1 or 1, the mean over all elements

    The derivative at the kink is 0. Labels 0 are an error. Keras converts labels 0 and 1 to -1
    and 1 if a batch holds only these two.

    Example:
        >>> Hinge().target(TensorType((None, 1))).values
        (-1.0, 1.0)
    """

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, values=SIGNS)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.relu(1.0 - target * prediction))


@spec
class SquaredHinge(AbstractLoss):
    """max(1 - y · prediction, 0)² for labels y of -1 or 1, the mean over all elements

    Example:
        >>> SquaredHinge().target(TensorType((None, 1))).values
        (-1.0, 1.0)
    """

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, values=SIGNS)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.square(ops.relu(1.0 - target * prediction)))


@spec
class CategoricalHinge(AbstractLoss):
    """max(1 + max((1 - y) · p) - Σ y · p, 0) over the last axis (Crammer & Singer, 2001)

    The loss is the mean over the other axes. As in Keras, the maximum includes the label, where
    (1 - y) · p is 0.

    Example:
        >>> CategoricalHinge().target(TensorType((None, 3))).distribution
        True
    """

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        right = ops.reduce_sum(target * prediction, -1)
        wrong = ops.reduce_max((1.0 - target) * prediction, -1)
        return per_example(ops.relu(1.0 + wrong - right))
