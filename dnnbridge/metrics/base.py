"""Metrics: numbers per example, averaged exactly over an epoch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.target import Target
from dnnbridge.metrics.calling import metric_of
from dnnbridge.specs.goals import Goal
from dnnbridge.specs.spec import Spec, alias_of

MetricValue = float | list[Any]
"""A number, or nested lists of numbers, such as a confusion matrix."""


@dataclass(frozen=True, kw_only=True)
class AbstractMetric(Spec):
    """Base of metrics. A subclass defines `emit`, and `result` unless it is a mean.

    Args:
        name: name in the history; by default the alias of the class.

    The class attribute `goal` is "min" if lower is better, "max" if higher is better, else None.
    """

    goal: ClassVar[Goal | None] = None
    uses_count: ClassVar[bool] = False
    """Whether `result` needs the number of examples, other than to divide by it."""

    name: str | None = None

    @property
    def label(self) -> str:
        """Name in the history."""
        return self.name or alias_of(type(self))

    @explained(name="a metric")
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> MetricValue:
        """Return the metric of labels and predictions, computed in float64.

        An example of weight 2 counts like two of weight 1.

        Example:
            >>> from dnnbridge import Accuracy
            >>> Accuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]])
            0.5
            >>> Accuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]], sample_weight=[3.0, 1.0])
            0.75
        """
        return metric_of(self, y_true, y_pred, sample_weight)

    @property
    def of_logits(self) -> Self | None:
        """The metric to use on the logits before a final softmax or sigmoid, if any."""
        return None

    def target(self, prediction: TensorType) -> Target | None:
        """Return the labels that the metric needs, or None if it needs no more than the loss."""
        return None

    def result(self, total: Array, count: float) -> MetricValue:
        """Return the metric of an epoch, from the sum of `emit` over its `count` examples.

        By default this is the mean. If the statistic has two numbers, the second is how much of
        the example counts. If nothing counts, the mean is 0. Of a weighted metric, `emit` is
        multiplied by the weight of each example, and `count` is the sum of the weights.
        """
        return mean(total, count)

    @abstractmethod
    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        """Write a statistic of every example, of shape (batch, …), to be summed over examples."""


def mean(total: Array, count: float) -> float:
    """Return the mean of one number per example, or of two: the value and how much of it counts."""
    value, counted = (float(n) for n in total) if np.ndim(total) else (float(total), count)
    return value / counted if counted else 0.0
