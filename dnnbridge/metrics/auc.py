"""Area under a curve of thresholds."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator, pooled, require_same_type
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.spec import spec


@spec
class AUC(AbstractMetric):
    """Area under the ROC or precision-recall curve, from 0 to 1

    As in Keras, the curve has one point per threshold. Thresholds are evenly spaced from 0 to 1;
    the first is below and the last above every prediction. Labels are 0 or 1, predictions are
    probabilities, and all elements count equally. The area is 0 unless both labels occur. If a
    prediction equals a threshold up to rounding, it may count on either side.

    Args:
        num_thresholds: number of thresholds; the error of the area is about 1 / num_thresholds.
        curve: "ROC", true against false positive rate, by the trapezoidal rule; or "PR",
            precision against recall. Between two thresholds of "PR", the true positives are a
            linear function of all positives (Davis & Goadrich, 2006).

    Example:
        >>> AUC().label
        'auc'
    """

    goal = "max"

    num_thresholds: Annotated[int, Field(strict=True, ge=2)] = 200
    curve: Literal["ROC", "PR"] = "ROC"

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        x = ops.clip(prediction, 0.0, 1.0) * (self.num_thresholds - 1.0)
        floor = ops.cast(ops.cast(x, "int32"), "float32")
        above = ops.maximum(floor + indicator(x > floor) - 1.0, 0.0)  # the last threshold below x
        bucket = above + float(self.num_thresholds) * indicator(target > 0.5)
        return pooled(ops.one_hot(ops.cast(bucket, "int32"), 2 * self.num_thresholds), kept=1)

    def result(self, total: Array, count: float) -> float:
        counts = np.asarray(total, np.float64).reshape(2, self.num_thresholds)
        if not counts.sum(1).all():
            return 0.0
        above = np.cumsum(counts[:, ::-1], 1)[:, ::-1]  # number of elements above each threshold
        if self.curve == "PR":
            return _area_of_precision(*above)
        false, true = above / above[:, :1]
        return float(np.sum((false[:-1] - false[1:]) * (true[:-1] + true[1:])) / 2.0)


def _area_of_precision(false: Array, true: Array) -> float:
    """Integrate precision over recall; `slope` is Δ true / Δ positives between two thresholds."""
    positives = true + false
    d_true, d_positives = true[:-1] - true[1:], positives[:-1] - positives[1:]
    slope = _ratio(d_true, d_positives)
    start = true[1:] - slope * positives[1:]
    growth = np.where(
        (positives[:-1] > 0) & (positives[1:] > 0), _ratio(positives[:-1], positives[1:]), 1.0
    )
    return float(np.sum(slope * (d_true + start * np.log(growth))) / true[0])


def _ratio(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
