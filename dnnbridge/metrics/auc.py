"""Area under the ROC curve."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from dnnbridge import ops
from dnnbridge.arrays import Array
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator, pooled, require_same_type
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.scope import Scope
from dnnbridge.specification import spec


@spec
class AUC(AbstractMetric):
    """Area under the curve of true against false positive rates (ROC), by the trapezoidal rule

    As in Keras the curve has a point for each of some thresholds, evenly spaced from 0 to 1, the
    first below and the last above every prediction; labels are 0 or 1, predictions probabilities,
    and all elements count alike. It is 0 unless both labels occur. A prediction within a rounding
    of a threshold may fall on either side of it.

    Args:
        num_thresholds: how many; the error of the area is of the order of 1 / num_thresholds.

    Example:
        >>> AUC().label
        'auc'
    """

    num_thresholds: Annotated[int, Field(strict=True, ge=2)] = 200

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
        above = np.cumsum(counts[:, ::-1], 1)[:, ::-1]  # how many are above each threshold
        false, true = above / above[:, :1]
        return float(np.sum((false[:-1] - false[1:]) * (true[:-1] + true[1:])) / 2.0)
