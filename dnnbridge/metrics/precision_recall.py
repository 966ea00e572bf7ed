"""Precision and recall."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
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
    top_classes,
)
from dnnbridge.metrics.base import AbstractMetric, MetricValue
from dnnbridge.metrics.counts import Counts, averaged, leave_out, no_nan
from dnnbridge.metrics.thresholds import Thresholds, above
from dnnbridge.specs.fields import Float, Int, NonNegativeInt, PositiveInt, default
from dnnbridge.specs.spec import spec

Average = Literal["macro", "micro", "weighted", "none"]


@dataclass(frozen=True)
class AbstractPositives(AbstractMetric):
    """Base of `Precision` and `Recall`, which has the arguments: a subclass defines `ratio`."""

    goal = "max"
    written_if_given = ("thresholds", "top_k", "class_id")

    threshold: Float | None = 0.5
    average: Average | None = None
    ignore_class: Int | None = None
    thresholds: Thresholds = default(None)
    top_k: PositiveInt | None = None
    class_id: NonNegativeInt | None = None

    @property
    def _of_classes(self) -> bool:
        """Whether the predicted class has the largest prediction."""
        return self.threshold is None and self.thresholds is None and self.top_k is None

    @property
    def _has_several(self) -> bool:
        """Whether there are several thresholds."""
        return isinstance(self.thresholds, tuple) and len(self.thresholds) > 1

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        self._check(scope)
        if prediction.rank == 1 and target.rank == 1 and self._has_several:
            prediction, target = (ops.reshape(x, (*x.shape, 1)) for x in (prediction, target))
        answer, label = self._answer(scope, prediction), self._label(scope, prediction, target)
        if self._has_several:
            label = ops.reshape(label, (*label.shape[:-1], 1, label.shape[-1]))
        if self.class_id is not None:
            answer, label = (self._column(scope, value) for value in (answer, label))
        kept = 2 + (answer.rank > prediction.rank)
        cells = ops.one_hot(ops.cast(2.0 * label + answer, "int32"), 4)
        return pooled(leave_out(scope, cells, target, self.ignore_class), kept)

    def _check(self, scope: Scope) -> None:
        scope.require(
            self.ignore_class is None or self._of_classes or self.top_k is not None,
            "ignore_class needs labels that are class numbers",
            got=f"threshold {self.thresholds or self.threshold}",
            hint="Set top_k=1, or threshold=None.",
        )
        scope.require(
            self.threshold in (0.5, None) or (self.thresholds is None and self.top_k is None),
            "threshold has no effect beside thresholds or top_k",
            got=f"threshold {self.threshold}",
            hint="Write thresholds=….",
        )

    def _answer(self, scope: Scope, prediction: Value) -> Value:
        """Return 1.0 for what is predicted: (…, classes), or (…, thresholds, classes)."""
        if self._of_classes:
            return ops.one_hot(ops.argmax(prediction), require_classes(scope, prediction))
        chosen = None
        if self.top_k is not None:
            chosen = top_classes(scope, prediction, self.top_k)
            if self.thresholds is None:
                return chosen
        given = self.threshold if self.thresholds is None else self.thresholds
        assert given is not None
        return above(prediction, given, chosen)

    def _label(self, scope: Scope, prediction: Value, target: Value) -> Value:
        """Return 1.0 for labels that are 1, or at the class number."""
        if self._of_classes or (self.top_k is not None and target.dtype == "int32"):
            return ops.one_hot(class_of(target), require_classes(scope, prediction))
        scope.require(
            target.dtype != "int32" or prediction.shape == target.shape,
            "labels that are class numbers need threshold=None, or top_k",
            got=f"prediction {prediction.type} and labels {target.type}",
            hint=f"Write {type(self).__name__}(threshold=None): the largest prediction counts.",
        )
        require_same_type(scope, prediction, target)
        return indicator(target > 0.5)

    def _column(self, scope: Scope, value: Value) -> Value:
        classes, start = scope.known(value.shape[-1], "the number of classes"), self.class_id or 0
        scope.require(
            value.rank >= 2 and start < classes,
            f"class_id must be less than the number of classes, {classes}",
            got=str(start),
        )
        return ops.slice(value, (*(0,) * (value.rank - 1), start), (*value.shape[:-1], 1))

    def result(self, total: Array, count: float) -> MetricValue:
        usual = "macro" if self._of_classes else "micro"
        average = self.average or usual
        return averaged(total, None if average == "none" else average, self.ratio)

    @abstractmethod
    def ratio(self, n: Counts) -> Array:
        """Return the metric of each class from its counts."""


@spec
class Precision(AbstractPositives):
    """True positives / (true positives + false positives); 0 if no prediction is 1

    Args:
        threshold: an element is predicted 1 if prediction > threshold; labels are 0 or 1 per
            element. With None the predicted class has the largest prediction, a tie counts for
            the first, and labels are class numbers or distributions.
        average: "micro", the value of the summed counts of all columns; "macro", the mean of the
            values of the columns; "weighted", their mean by the number of labels 1; "none", a
            list. The default is "micro", as in Keras, and "macro" with threshold None, where
            "micro" would be the accuracy. With one column they are equal.
        ignore_class: class number of labels to ignore; needs top_k, or threshold None.
        thresholds: Keras' argument: one threshold instead of 0.5, or a list of them; the result
            is then a list, with one value for each.
        top_k: only the k largest predictions of an example are predicted 1, whatever they are,
            unless thresholds are given too. Labels may be class numbers.
        class_id: column to compute the metric of; by default all.

    Example:
        >>> Precision()([[1.0], [0.0], [1.0]], [[0.6], [0.7], [0.2]])
        0.5
        >>> Precision(thresholds=[0.5, 0.8])([[1.0], [0.0], [1.0]], [[0.6], [0.7], [0.9]])
        [0.6666666666666666, 1.0]
        >>> Precision(top_k=2)([[0, 0, 1]], [[0.5, 0.3, 0.2]])
        0.0
    """

    def ratio(self, n: Counts) -> Array:
        return no_nan(n.true_positive, n.true_positive + n.false_positive)


@spec
class Recall(AbstractPositives):
    """True positives / (true positives + false negatives); 0 if no label is 1

    Args:
        threshold: as in `Precision`.
        average: as in `Precision`.
        ignore_class: as in `Precision`.
        thresholds: as in `Precision`.
        top_k: as in `Precision`.
        class_id: as in `Precision`.

    Example:
        >>> Recall()([[1.0], [0.0], [1.0]], [[0.6], [0.7], [0.2]])
        0.5
        >>> Recall(top_k=2)([2, 0], [[0.5, 0.3, 0.2], [0.1, 0.5, 0.4]])
        0.0
    """

    def ratio(self, n: Counts) -> Array:
        return no_nan(n.true_positive, n.true_positive + n.false_negative)
