"""Metrics of true and false positives and negatives."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np

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
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.fields import Float, Int
from dnnbridge.specs.spec import spec

Average = Literal["macro", "micro"]


@dataclass(frozen=True)
class Counts:
    """Numbers of elements per class, in float64.

    Attributes:
        true_positive: label 1, predicted 1.
        false_positive: label 0, predicted 1.
        false_negative: label 1, predicted 0.
    """

    true_positive: Array
    false_positive: Array
    false_negative: Array

    @classmethod
    def of(cls, total: Array, average: Average) -> Counts:
        """Return the counts from the sum of `emit_cells`; "micro" sums over classes."""
        cells = np.asarray(total, np.float64).reshape(-1, 4)
        cells = cells.sum(0, keepdims=True) if average == "micro" else cells
        return cls(
            true_positive=cells[:, 3], false_positive=cells[:, 1], false_negative=cells[:, 2]
        )


def emit_cells(
    scope: Scope, prediction: Value, target: Value, threshold: float | None, ignored: int | None
) -> Value:
    """Write, per class, the one-hot row of 2 · label + answer: shape (batch, classes, 4)."""
    if threshold is None:
        classes = require_classes(scope, prediction)
        answer = ops.one_hot(ops.argmax(prediction), classes)
        label = ops.one_hot(class_of(target), classes)
    else:
        require_same_type(scope, prediction, target)
        answer, label = indicator(prediction > threshold), indicator(target > 0.5)
    cells = ops.one_hot(ops.cast(2.0 * label + answer, "int32"), 4)
    if ignored is not None:
        counted = 1.0 - indicator(ops.equal(class_of(target), ignored))
        cells = cells * ops.reshape(counted, (*counted.shape, 1, 1))
    return pooled(cells, kept=2)


def mean_ratio(part: Array, whole: Array) -> float:
    """Return the mean of part / whole, where a ratio with whole 0 is 0."""
    return float(np.mean(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)))


@dataclass(frozen=True)
class AbstractCounts(AbstractMetric):
    """Base of metrics of counts: a subclass defines `ratio`; `Precision` has the arguments."""

    goal = "max"

    threshold: Float | None = 0.5
    average: Average | None = None
    ignore_class: Int | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        scope.require(
            self.ignore_class is None or self.threshold is None,
            "ignore_class needs labels that are class numbers",
            got=f"threshold {self.threshold}",
            hint="Set threshold=None.",
        )
        return emit_cells(scope, prediction, target, self.threshold, self.ignore_class)

    def result(self, total: Array, count: float) -> float:
        usual: Average = "macro" if self.threshold is None else "micro"
        return self.ratio(Counts.of(total, self.average or usual))

    @abstractmethod
    def ratio(self, n: Counts) -> float:
        """Return the metric of an epoch from its counts."""


@spec
class Precision(AbstractCounts):
    """True positives / (true positives + false positives); 0 if no prediction is 1

    Args:
        threshold: an element is predicted 1 if prediction > threshold; labels are 0 or 1 per
            element. With None the predicted class has the largest prediction, a tie counts for
            the first, and labels are class numbers or distributions.
        average: "macro", the mean of the values of the columns; or "micro", the value of their
            summed counts. The default is "micro" with a threshold, as in Keras, and "macro"
            without one, where "micro" would be the accuracy. With one column they are equal.
        ignore_class: class number of labels to ignore; needs threshold None.

    Example:
        >>> Precision().result(np.array([[90.0, 2.0, 2.0, 6.0]]), 100)
        0.75
    """

    def ratio(self, n: Counts) -> float:
        return mean_ratio(n.true_positive, n.true_positive + n.false_positive)


@spec
class Recall(AbstractCounts):
    """True positives / (true positives + false negatives); 0 if no label is 1

    Args:
        threshold: as in `Precision`.
        average: as in `Precision`.
        ignore_class: as in `Precision`.

    Example:
        >>> Recall().result(np.array([[89.0, 2.0, 3.0, 6.0]]), 100) == 6 / 9
        True
    """

    def ratio(self, n: Counts) -> float:
        return mean_ratio(n.true_positive, n.true_positive + n.false_negative)


@spec
class F1Score(AbstractCounts):
    """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 if TP is 0

    Args:
        threshold: as in `Precision`.
        average: "macro", the mean of the F1 scores of the columns; or "micro", as in `Precision`.
        ignore_class: as in `Precision`.

    Example:
        >>> F1Score(threshold=None).label
        'f1_score'
    """

    alias = "f1_score"

    average: Average = "macro"

    def ratio(self, n: Counts) -> float:
        twice = 2.0 * n.true_positive
        return mean_ratio(twice, twice + n.false_positive + n.false_negative)
