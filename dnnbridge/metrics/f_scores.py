"""F-scores."""

from __future__ import annotations

from typing import Literal

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import (
    class_of,
    indicator,
    pooled,
    require_classes,
    require_same_type,
)
from dnnbridge.metrics.base import AbstractMetric, MetricValue
from dnnbridge.metrics.counts import Counts, averaged, leave_out, no_nan
from dnnbridge.metrics.thresholds import above
from dnnbridge.specs.fields import Float, Int, PositiveFloat
from dnnbridge.specs.spec import spec

Average = Literal["micro", "macro", "weighted"]

SMALL = 1e-9
"""With the largest prediction as answer, a prediction within this of 0 is none, as in Keras."""


def emit_f_score(
    scope: Scope, prediction: Value, target: Value, threshold: float | None, ignored: int | None
) -> Value:
    """Write the cells (batch, classes, 4) of an F-score, whose arguments `FBetaScore` has."""
    if target.dtype == "int32":
        scope.require(
            threshold is None,
            "labels that are class numbers need threshold=None",
            got=f"threshold {threshold}",
            hint="Set threshold=None: the answer is the largest prediction.",
        )
        label = ops.one_hot(class_of(target), require_classes(scope, prediction))
    else:
        require_same_type(scope, prediction, target)
        label = indicator(target > 0.5)
    if threshold is None:
        scope.require(
            prediction.rank >= 2 and (prediction.shape[-1] or 0) >= 2,
            "with one column the largest prediction is always 1",
            got=str(prediction.type),
            hint="Set threshold=0.5.",
        )
        less = indicator(ops.reduce_max(prediction, -1, keepdims=True) > prediction)
        answer = (1.0 - less) * indicator(ops.abs(prediction) > SMALL)
    else:
        answer = above(prediction, threshold)
    cells = ops.one_hot(ops.cast(2.0 * label + answer, "int32"), 4)
    return pooled(leave_out(scope, cells, target, ignored), kept=2)


def f_score(counts: Counts, beta: float) -> Array:
    """Return (1 + β²) TP / ((1 + β²) TP + β² FN + FP), or 0 where that is 0 / 0."""
    both = (1.0 + beta**2) * counts.true_positive
    return no_nan(both, both + beta**2 * counts.false_negative + counts.false_positive)


@spec
class FBetaScore(AbstractMetric):
    """(1 + β²) TP / ((1 + β²) TP + β² FN + FP); 0 if TP is 0

    Args:
        average: None, a list with one score per class; "macro", their mean; "weighted", their
            mean by the number of labels; "micro", the score of the summed counts.
        beta: how many times more the recall counts than the precision.
        threshold: an element is predicted 1 if prediction > threshold; labels are 0 or 1 per
            element. With None all largest predictions of an example are predicted 1, unless they
            are 0, and labels may be class numbers.
        ignore_class: class number of labels to ignore.

    Example:
        >>> score = FBetaScore("micro", beta=2.0, threshold=0.5)
        >>> score([[1.0, 1.0], [0.0, 1.0]], [[0.9, 0.2], [0.8, 0.7]])
        0.6666666666666666
    """

    alias = "fbeta_score"
    goal = "max"

    average: Average | None = None
    beta: PositiveFloat = 1.0
    threshold: Float | None = None
    ignore_class: Int | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return emit_f_score(scope, prediction, target, self.threshold, self.ignore_class)

    def result(self, total: Array, count: float) -> MetricValue:
        return averaged(total, self.average, lambda counts: f_score(counts, self.beta))


@spec
class F1Score(AbstractMetric):
    """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 if TP is 0

    Args:
        threshold: as in `FBetaScore`.
        average: as in `FBetaScore`.
        ignore_class: as in `FBetaScore`.

    Example:
        >>> F1Score(threshold=None).label
        'f1_score'
        >>> F1Score(average=None)([[1.0, 1.0], [0.0, 1.0]], [[0.9, 0.2], [0.8, 0.7]])
        [0.6666666666666666, 0.6666666666666666]
    """

    alias = "f1_score"
    goal = "max"

    threshold: Float | None = 0.5
    average: Average | None = "macro"
    ignore_class: Int | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return emit_f_score(scope, prediction, target, self.threshold, self.ignore_class)

    def result(self, total: Array, count: float) -> MetricValue:
        return averaged(total, self.average, lambda counts: f_score(counts, 1.0))
