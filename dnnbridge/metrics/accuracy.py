"""Accuracies: the share of correct predictions."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.losses.base import per_example
from dnnbridge.metrics.answers import (
    class_of,
    indicator,
    mean_statistic,
    require_classes,
    require_same_type,
)
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.specs.fields import Float, Int, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Accuracy(AbstractMetric):
    """Share of examples whose largest prediction is at the label; a tie counts for the first class

    Labels are class numbers or distributions over the last axis. With one number in that axis it is
    the `BinaryAccuracy`, which Keras takes for "accuracy" then too.

    Args:
        ignore_class: class number of labels to ignore; needs two classes or more.

    Example:
        >>> Accuracy()([1, 2], [[0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
        0.5
        >>> Accuracy()([[1.0], [0.0]], [[0.8], [0.3]])
        1.0
    """

    goal = "max"
    synonyms = ("acc", "categorical_accuracy", "sparse_categorical_accuracy")

    ignore_class: Int | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        if (
            prediction.shape[-1] == 1
            and prediction.type == target.type
            and self.ignore_class is None
        ):
            return BinaryAccuracy().emit(scope, prediction, target)
        require_classes(scope, prediction)
        label = class_of(target)
        hit = indicator(ops.equal(ops.argmax(prediction), label))
        return _share(hit, label, self.ignore_class)


@spec
class BinaryAccuracy(AbstractMetric):
    """Share of elements whose label, 0 or 1, equals (prediction > threshold)

    Args:
        threshold: 0.5 for probabilities; 0.0 for logits.

    Example:
        >>> BinaryAccuracy(threshold=0.0).label
        'binary_accuracy'
    """

    goal = "max"

    threshold: Float = 0.5

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        answer = ops.cast(prediction > self.threshold, "float32")
        return per_example(ops.cast(ops.equal(answer, target), "float32"))


@spec
class TopKCategoricalAccuracy(AbstractMetric):
    """Share of examples with fewer than k predictions larger than the one at the label

    A tie counts for the label, as in Keras. Labels are class numbers or distributions.

    Args:
        k: a label among the k largest predictions counts as correct.
        ignore_class: class number of labels to ignore.

    Example:
        >>> TopKCategoricalAccuracy(k=3).label
        'top_k_categorical_accuracy'
    """

    alias = "top_k_categorical_accuracy"
    synonyms = ("top_k_accuracy", "sparse_top_k_categorical_accuracy")
    goal = "max"

    k: PositiveInt = 5
    ignore_class: Int | None = None

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        classes = require_classes(scope, prediction)
        scope.require(
            self.k <= classes,
            "k must be at most the number of classes",
            got=f"{self.k} of {classes}",
        )
        label = ops.one_hot(class_of(target), classes)
        score = ops.reduce_sum(ops.where(label > 0.5, prediction, 0.0), -1, keepdims=True)
        larger = ops.reduce_sum(ops.cast(prediction > score, "float32"), -1)
        return _share(indicator(self.k > larger + 0.5), class_of(target), self.ignore_class)


def _share(hit: Value, label: Value, ignored: int | None) -> Value:
    """Return the share of hits per example and, with `ignored`, how much of the example counts."""
    if ignored is None:
        return per_example(hit)
    counted = 1.0 - indicator(ops.equal(label, ignored))
    return mean_statistic((per_example(hit * counted), per_example(counted)))
