"""Compute the metric of given arrays in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.calling import as_numbers, computed, labels_of, prediction_of, weights_of
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import BATCH, DType, TensorType, Value
from dnnbridge.losses.target import check_range

if TYPE_CHECKING:
    from dnnbridge.metrics.base import AbstractMetric, MetricValue


def metric_of(
    metric: AbstractMetric, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> MetricValue:
    """Return a metric of some examples; an example counts as often as its weight."""
    prediction, count = prediction_of(y_pred)
    if np.ndim(sample_weight) == 2 and prediction.ndim > 2:  # each step counts as an example
        shape = prediction.shape[0], prediction.shape[1]
        weights = weights_of(sample_weight, shape).ravel()
        steps = prediction.reshape(-1, *prediction.shape[2:])
        return metric_of(metric, _steps(y_true, shape), steps, weights)
    output = TensorType((BATCH, *prediction.shape[1:]))
    target = metric.target(output)
    type = target.type if target else _type_of_labels(y_true, output)
    labels = labels_of(y_true, type, count)
    if target:
        check_range(labels, target, "y_true")
    weights = weights_of(sample_weight, (count,))

    def write(scope: Scope, given: Mapping[str, Value]) -> Mapping[str, Value]:
        made = scope.call(metric, given["prediction"], given["labels"], name=metric.label)
        return {"total": scope.batch_sum(made)}

    types = {"prediction": output, "labels": type}
    made = computed(write, types, {"prediction": prediction, "labels": labels}, weights)
    return metric.result(made["total"], float(weights.sum()))


def _steps(y_true: Any, shape: tuple[int, int]) -> Array:
    """Return labels (batch, time, …) as one row per step."""
    labels = as_numbers(y_true, "y_true")
    return labels.reshape(-1, *labels.shape[2:]) if labels.shape[:2] == shape else labels


def _type_of_labels(y_true: Any, prediction: TensorType) -> TensorType:
    """Return float32 for labels of the shape of the prediction, else int32 for class numbers."""
    shape = np.shape(y_true)[1:]
    dtype: DType = "float32" if shape == prediction.shape[1:] else "int32"
    return TensorType((BATCH, *shape), dtype)
