"""Confusion matrix."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import class_of, pooled, require_classes
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.spec import spec


@spec
class ConfusionMatrix(AbstractMetric):
    """Number of labels of each class (row) predicted as each class (column), as nested lists

    The predicted class has the largest prediction; a tie counts for the first. Labels are class
    numbers or distributions. A label outside the classes, such as an ignored one, does not count.

    Args:
        normalize: None for counts; "true" for shares of each row, "predicted" for shares of each
            column, "all" for shares of the total. An empty row or column is 0.

    Example:
        >>> ConfusionMatrix().result(np.array([[5.0, 1.0], [0.0, 4.0]]), 10)
        [[5.0, 1.0], [0.0, 4.0]]
    """

    normalize: Literal["true", "predicted", "all"] | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        classes = require_classes(scope, prediction)
        label = ops.one_hot(class_of(target), classes)
        answer = ops.one_hot(ops.argmax(prediction), classes)
        rows = ops.reshape(label, (*label.shape, 1))
        columns = ops.reshape(answer, (*answer.shape[:-1], 1, classes))
        return pooled(rows * columns, kept=2)

    def result(self, total: Array, count: float) -> list[Any]:
        cells = np.asarray(total, np.float64)
        if self.normalize is not None:
            axis = {"true": 1, "predicted": 0, "all": None}[self.normalize]
            whole = np.broadcast_to(cells.sum(axis, keepdims=True), cells.shape)
            cells = np.divide(cells, whole, out=np.zeros_like(cells), where=whole > 0)
        matrix: list[Any] = cells.tolist()
        return matrix
