"""Correlation of the numbers of an example with its labels."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.losses.base import per_example
from dnnbridge.metrics.answers import require_same_type
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec

EPSILON = 1e-7
"""What Keras adds to the divisor of the concordance."""


@spec
class PearsonCorrelation(AbstractMetric):
    """Σ (y - ȳ) (p - p̄) / √(Σ (y - ȳ)² Σ (p - p̄)²) over an axis, the mean over the others

    It is computed for each example. It is 0 where all labels or all predictions are equal; Keras
    gives NaN there.

    Args:
        axis: the axis of the numbers, except the batch.

    Example:
        >>> PearsonCorrelation()([[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]])
        1.0
    """

    goal = "max"

    axis: Int = -1

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        y, p = _centred(scope, prediction, target, self.axis)
        both, squares = _mean(y * p, self.axis), _mean(y**2, self.axis) * _mean(p**2, self.axis)
        varied = squares > 0.0
        return per_example(ops.where(varied, both / ops.sqrt(ops.where(varied, squares, 1.0)), 0.0))


@spec
class ConcordanceCorrelation(AbstractMetric):
    """2 Cov(y, p) / (Var y + Var p + (ȳ - p̄)²) over an axis, the mean over the others

    It is computed for each example, and is 1 only for equal numbers (Lin, 1989). As in Keras, the
    divisor is larger by 1e-7.

    Args:
        axis: the axis of the numbers, except the batch.

    Example:
        >>> round(ConcordanceCorrelation()([[1.0, 2.0, 3.0]], [[2.0, 3.0, 4.0]]), 4)
        0.5714
    """

    goal = "max"

    axis: Int = -1

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        y, p = _centred(scope, prediction, target, self.axis)
        apart = _mean(target - prediction, self.axis)
        spread = _mean(y**2, self.axis) + _mean(p**2, self.axis) + apart**2
        return per_example(2.0 * _mean(y * p, self.axis) / (spread + EPSILON))


def _mean(x: Value, axis: int) -> Value:
    return ops.reduce_mean(x, axis)


def _centred(scope: Scope, prediction: Value, target: Value, axis: int) -> tuple[Value, Value]:
    """Return labels and predictions less their means."""
    require_same_type(scope, prediction, target)
    scope.require(
        -prediction.rank < axis < prediction.rank and axis != 0,
        "axis must be an axis of the predictions other than the batch",
        got=f"axis={axis} of {prediction.type}",
    )
    return (
        target - ops.reduce_mean(target, axis, keepdims=True),
        prediction - ops.reduce_mean(prediction, axis, keepdims=True),
    )
