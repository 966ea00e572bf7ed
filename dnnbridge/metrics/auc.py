"""Area under a curve of thresholds."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator, pooled, require_same_type
from dnnbridge.metrics.areas import Curve, Summation, area
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.counts import no_nan
from dnnbridge.metrics.thresholds import below, histogram, read
from dnnbridge.specs.fields import Bool, NonNegativeFloat, PositiveInt
from dnnbridge.specs.spec import spec

Inner = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@spec
class AUC(AbstractMetric):
    """Area under the ROC or precision-recall curve, from 0 to 1

    As in Keras, the curve has one point per threshold. Thresholds are evenly spaced from 0 to 1;
    the first is below and the last above every prediction. Labels are 0 or 1, predictions are
    probabilities, and all elements count equally. A rate without elements is 0. If a prediction
    equals a threshold up to rounding, it may count on either side.

    Args:
        num_thresholds: number of thresholds; the error of the area is about 1 / num_thresholds.
        curve: "ROC", true against false positive rate; "PR", precision against recall; or
            "PRGAIN", gain of precision against gain of recall (Flach & Kull, 2015).
        summation_method: "interpolation", the trapezoidal rule, and for "PR" between two
            thresholds the true positives as a linear function of all positives (Davis &
            Goadrich, 2006); "minoring" or "majoring", the lower or the higher end of each step.
        thresholds: thresholds within [0, 1] to use besides the first and the last.
        multi_label: whether each column has its own area, of which the mean is taken.
        num_labels: number of columns with multi_label; it is only checked.
        label_weights: a weight per column: of its area with multi_label, else of its elements.
        from_logits: whether predictions are logits; the probability is their sigmoid.

    Example:
        >>> AUC().label
        'auc'
        >>> AUC(thresholds=[0.5])([[0.0], [0.0], [1.0]], [[0.1], [0.6], [0.9]])
        0.75
    """

    goal = "max"
    written_if_given = (
        *("summation_method", "thresholds", "multi_label"),
        *("num_labels", "label_weights", "from_logits"),
    )

    num_thresholds: Annotated[int, Field(strict=True, ge=2)] = 200
    curve: Curve = "ROC"
    summation_method: Summation = "interpolation"
    thresholds: tuple[Inner, ...] | None = None
    multi_label: Bool = False
    num_labels: PositiveInt | None = None
    label_weights: tuple[NonNegativeFloat, ...] | None = None
    from_logits: Bool = False

    def __post_init__(self) -> None:
        if self.num_labels is not None and not self.multi_label:
            given = f"num_labels={self.num_labels}"
            raise SpecError("num_labels needs multi_label=True", got=given)

    @property
    def _buckets(self) -> int:
        return self.num_thresholds if self.thresholds is None else len(self.thresholds) + 2

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        self._check_columns(scope, prediction)
        p = ops.sigmoid(prediction) if self.from_logits else prediction
        if self.thresholds is None:
            bucket = ops.maximum(below(p, self.num_thresholds) - 1.0, 0.0)
        else:
            bucket = sum((indicator(p > read(each)) for each in self.thresholds), start=0.0 * p)
        rows = histogram(bucket, target, self._buckets)
        if self.multi_label:
            return rows
        if self.label_weights is not None:
            rows = rows * scope.constant(np.asarray(self.label_weights)[:, None])
        return pooled(rows, kept=1)

    def _check_columns(self, scope: Scope, prediction: Value) -> None:
        columns = prediction.shape[-1] if prediction.rank == 2 else None
        weights = self.label_weights
        scope.require(
            columns is not None or not (self.multi_label or weights),
            "multi_label and label_weights need predictions (batch, labels)",
            got=str(prediction.type),
        )
        given = {self.num_labels, len(weights) if weights else None} - {None}
        scope.require(
            given <= {columns},
            "num_labels and label_weights must have the number of columns",
            got=f"{given} and {prediction.type}",
        )

    def result(self, total: Array, count: float) -> float:
        counts = np.asarray(total, np.float64).reshape(-1, 2, self._buckets)
        above = np.cumsum(counts[..., ::-1], -1)[..., ::-1]  # elements above each threshold
        how = self.curve, self.summation_method
        areas = np.array([area(false, true, *how) for false, true in above])
        if self.multi_label and self.label_weights is not None:
            weights = np.asarray(self.label_weights)
            return float(no_nan(np.sum(areas * weights), np.sum(weights)))
        return float(np.mean(areas))
