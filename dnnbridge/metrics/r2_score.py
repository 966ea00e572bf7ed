"""The coefficient of determination."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import require_same_type
from dnnbridge.metrics.base import AbstractMetric, MetricValue
from dnnbridge.metrics.counts import no_nan
from dnnbridge.specs.fields import Float, NonNegativeInt
from dnnbridge.specs.spec import spec


@spec
class R2Score(AbstractMetric):
    """1 - Σ (y - p)² / Σ (y - ȳ)², the mean over all outputs; 0 for an output of constant labels

    Args:
        centre: c in Σ (y - ȳ)² = Σ (y - c)² - (Σ (y - c))² / n. If labels are far from 0
            compared with their spread, give their approximate mean, because the squares of a
            batch are float32.
        class_aggregation: "uniform_average", the mean over all outputs;
            "variance_weighted_average", their mean by Σ (y - ȳ)²; None, one score per output.
        num_regressors: p in the adjusted score 1 - (1 - R²) (n - 1) / (n - p - 1), if it is not 0
            and less than n - 1. As in Keras, n is the number of labels: examples times outputs.
            In a weighted metric an example counts in n by its weight.

    Example:
        >>> R2Score().result(np.array([[2.0, 0.0, 8.0]]), 4)
        0.75
        >>> R2Score(class_aggregation=None)([[1.0, 2.0], [3.0, 6.0]], [[1.0, 2.0], [2.0, 6.0]])
        [0.5, 1.0]
    """

    alias = "r2_score"
    synonyms = ("r_squared",)
    goal = "max"
    uses_count = True
    written_if_given = ("class_aggregation", "num_regressors")

    centre: Float = 0.0
    class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = (
        "uniform_average"
    )
    num_regressors: NonNegativeInt = 0

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        y = target - self.centre
        statistics = (ops.square(target - prediction), y, ops.square(y))
        column = (*y.shape, 1)
        return sum(
            (
                ops.reshape(value, column) * ops.one_hot(ops.cast(0.0 * y + i, "int32"), 3)
                for i, value in enumerate(statistics[1:], start=1)
            ),
            start=ops.reshape(statistics[0], column) * ops.one_hot(ops.cast(0.0 * y, "int32"), 3),
        )

    def result(self, total: Array, count: float) -> MetricValue:
        residual, y, squares = np.asarray(total, np.float64).reshape(-1, 3).T
        spread = np.maximum(squares - no_nan(y * y, np.asarray(count)), 0.0)
        scores = np.where(spread > 0, 1.0 - no_nan(residual, spread), 0.0)
        labels = count * len(scores)
        if self.class_aggregation is None:
            listed: list[float] = self._adjusted(scores, labels).tolist()
            return listed
        if self.class_aggregation == "variance_weighted_average":
            mean = no_nan(np.sum(spread * scores), np.sum(spread))
        else:
            mean = np.mean(scores)
        return float(self._adjusted(mean, labels))

    def _adjusted(self, score: Array, labels: float) -> Array:
        """Return the score adjusted for the number of regressors; unless labels are too few."""
        regressors = self.num_regressors
        if not regressors or regressors >= labels - 1.0:
            return score
        return 1.0 - (1.0 - score) * (labels - 1.0) / (labels - regressors - 1.0)
