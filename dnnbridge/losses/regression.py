"""Losses of real numbers."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.base import AbstractLoss, Target, per_example
from dnnbridge.scope import Scope
from dnnbridge.specification import spec


@spec
class MeanSquaredError(AbstractLoss):
    """(prediction - target)², the mean over all elements of an example

    Labels must have the shape of the prediction: (n,) against (n, 1) is an error, not a broadcast.

    Example:
        >>> str(MeanSquaredError().target(TensorType((None, 1))).type)
        'float32[batch, 1]'
    """

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.square(prediction - target))
