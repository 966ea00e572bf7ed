"""Numbers of true and false positives and negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator, require_same_type
from dnnbridge.metrics.base import AbstractMetric, MetricValue
from dnnbridge.metrics.thresholds import Thresholds, above
from dnnbridge.specs.fields import default
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractPredicted(AbstractMetric):
    """Base of numbers of elements by label and prediction; `TruePositives` has the arguments."""

    predicted: ClassVar[bool]
    """Whether elements are counted that are predicted 1."""
    true: ClassVar[bool]
    """Whether those are counted that are predicted right."""

    thresholds: Thresholds = default(None)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        column = (*prediction.shape, 1)
        given = 0.5 if self.thresholds is None else self.thresholds
        answer = above(ops.reshape(prediction, column), given)
        several = answer.rank > len(column)
        label = indicator(target > 0.5)
        label = ops.reshape(label, (*column, 1) if several else column)
        wanted = label if self.predicted == self.true else 1.0 - label
        counted = wanted * (answer if self.predicted else 1.0 - answer)
        levels = len(given) if several and isinstance(given, tuple) else 1
        rows = ops.reshape(counted, (*prediction.shape, levels))
        return ops.reduce_sum(rows, tuple(range(1, prediction.rank)))

    def result(self, total: Array, count: float) -> MetricValue:
        counts: list[float] = np.asarray(total, np.float64).tolist()
        return counts if len(counts) > 1 else counts[0]


@spec
class TruePositives(AbstractPredicted):
    """Number of elements of label 1 that are predicted 1; by their weights, if they have weights

    Args:
        thresholds: an element is predicted 1 if prediction > threshold; labels are 0 or 1. The
            default is 0.5. With a list the result is a list, with one number for each.

    Example:
        >>> TruePositives()([[1.0, 1.0, 0.0]], [[0.9, 0.4, 0.8]])
        1.0
        >>> TruePositives([0.3, 0.5])([[1.0, 1.0, 0.0]], [[0.9, 0.4, 0.8]])
        [2.0, 1.0]
    """

    predicted = True
    true = True


@spec
class TrueNegatives(AbstractPredicted):
    """Number of elements of label 0 that are predicted 0; by their weights, if they have weights

    Args:
        thresholds: as in `TruePositives`.

    Example:
        >>> TrueNegatives()([[1.0, 0.0, 0.0]], [[0.9, 0.4, 0.8]])
        1.0
    """

    predicted = False
    true = True


@spec
class FalsePositives(AbstractPredicted):
    """Number of elements of label 0 that are predicted 1; by their weights, if they have weights

    Args:
        thresholds: as in `TruePositives`.

    Example:
        >>> FalsePositives()([[1.0, 0.0, 0.0]], [[0.9, 0.4, 0.8]])
        1.0
    """

    goal = "min"
    predicted = True
    true = False


@spec
class FalseNegatives(AbstractPredicted):
    """Number of elements of label 1 that are predicted 0; by their weights, if they have weights

    Args:
        thresholds: as in `TruePositives`.

    Example:
        >>> FalseNegatives()([[1.0, 1.0, 0.0]], [[0.9, 0.4, 0.8]])
        1.0
    """

    goal = "min"
    predicted = False
    true = False
