"""Margin losses, which are 0 if the right answer leads by at least 1."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.base import AbstractLoss, per_example
from dnnbridge.losses.target import Target
from dnnbridge.specs.spec import spec

SIGNS = (-1.0, 0.0, 1.0)
"""Labels of the hinge losses: -1 and 1, or 0 and 1."""


def _signs_for(prediction: TensorType) -> Target:
    return Target(prediction, values=SIGNS, apart=(-1.0, 0.0))


def _missed(prediction: Value, target: Value) -> Value:
    """Return max(1 - y · prediction, 0), with 0 among the labels as -1."""
    y = ops.where(ops.equal(target, 0.0), -1.0, target)
    return ops.relu(1.0 - y * prediction)


@spec
class Hinge(AbstractLoss):
    """max(1 - y · prediction, 0) for labels y of -1 or 1, the mean over all elements

    Labels 0 and 1 stand for -1 and 1, as in Keras. Labels with both -1 and 0 are an error. (Keras
    takes 0 for -1 only in batches without -1.) The derivative at the kink is 0.

    Example:
        >>> Hinge()([[0.0, 1.0]], [[0.5, 0.5]]), Hinge()([[-1.0, 1.0]], [[0.5, 0.5]])
        (1.0, 1.0)
    """

    def target(self, prediction: TensorType) -> Target:
        return _signs_for(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(_missed(prediction, target))


@spec
class SquaredHinge(AbstractLoss):
    """max(1 - y · prediction, 0)² for labels y of -1 or 1, the mean over all elements

    Labels 0 and 1 stand for -1 and 1, as in `Hinge`.

    Example:
        >>> SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]])
        1.25
    """

    def target(self, prediction: TensorType) -> Target:
        return _signs_for(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.square(_missed(prediction, target)))


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
