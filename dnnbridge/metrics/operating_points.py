"""The best of one rate where another rate is large enough, over evenly spaced thresholds."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator, pooled, require_same_type
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.counts import no_nan
from dnnbridge.metrics.thresholds import below, histogram
from dnnbridge.specs.fields import NonNegativeInt, PositiveInt
from dnnbridge.specs.spec import spec

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Rates(NamedTuple):
    """Rates at each threshold."""

    precision: Array
    recall: Array
    specificity: Array


@dataclass(frozen=True)
class AbstractOperatingPoint(AbstractMetric):
    """Base of metrics at an operating point; a subclass adds the least rate and gives `best`."""

    goal = "max"

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        count, column = self.thresholds_and_column()
        if column is not None:
            prediction, target = (_column(scope, x, column) for x in (prediction, target))
        place = indicator(prediction > 0.5) if count == 1 else below(prediction, count)
        return pooled(histogram(place, target, count + 1), kept=1)

    def result(self, total: Array, count: float) -> float:
        """Return the largest rate where the other is at least what was asked; else 0."""
        false, true = np.asarray(total, np.float64).reshape(2, -1)
        # At threshold i an element is predicted 1 if it is above i + 1 thresholds or more.
        false_positive, true_positive = (np.cumsum(n[::-1])[::-1][1:] for n in (false, true))
        rates = Rates(
            precision=no_nan(true_positive, true_positive + false_positive),
            recall=no_nan(true_positive, true.sum()),
            specificity=no_nan(false.sum() - false_positive, false.sum()),
        )
        wanted, least, value = self.choice(rates)
        return float(np.max(np.where(wanted >= least, value, 0.0), initial=0.0))

    @abstractmethod
    def thresholds_and_column(self) -> tuple[int, int | None]:
        """Return the number of thresholds, and the column to look at, if it is only one."""

    @abstractmethod
    def choice(self, rates: Rates) -> tuple[Array, float, Array]:
        """Return the rate that has a least value, this value, and the rate to maximise."""


def _column(scope: Scope, x: Value, column: int) -> Value:
    scope.require(
        x.rank >= 2 and column < (x.shape[-1] or 0),
        "class_id must be a column of the prediction",
        got=f"class_id {column} of {x.type}",
    )
    return ops.slice(x, (*(0,) * (x.rank - 1), column), (*x.shape[:-1], 1))


@spec
class PrecisionAtRecall(AbstractOperatingPoint):
    """Largest precision where the recall is at least the given one; 0 if it nowhere is

    Labels are 0 or 1 per element, predictions are probabilities.

    Args:
        recall: least recall, from 0 to 1.
        num_thresholds: number of thresholds, evenly spaced from 0 to 1; with 1 it is 0.5.
        class_id: column to compute the metric of; by default all.

    Example:
        >>> PrecisionAtRecall(0.5)([[0.0], [1.0], [1.0]], [[0.6], [0.4], [0.9]])
        1.0
    """

    recall: Share
    num_thresholds: PositiveInt = 200
    class_id: NonNegativeInt | None = None

    def thresholds_and_column(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def choice(self, rates: Rates) -> tuple[Array, float, Array]:
        return rates.recall, self.recall, rates.precision


@spec
class RecallAtPrecision(AbstractOperatingPoint):
    """Largest recall where the precision is at least the given one; 0 if it nowhere is

    Labels are 0 or 1 per element, predictions are probabilities.

    Args:
        precision: least precision, from 0 to 1.
        num_thresholds: number of thresholds, evenly spaced from 0 to 1; with 1 it is 0.5.
        class_id: column to compute the metric of; by default all.

    Example:
        >>> RecallAtPrecision(0.5)([[0.0], [1.0], [1.0]], [[0.6], [0.4], [0.9]])
        1.0
    """

    precision: Share
    num_thresholds: PositiveInt = 200
    class_id: NonNegativeInt | None = None

    def thresholds_and_column(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def choice(self, rates: Rates) -> tuple[Array, float, Array]:
        return rates.precision, self.precision, rates.recall


@spec
class SensitivityAtSpecificity(AbstractOperatingPoint):
    """Largest sensitivity where the specificity is at least the given one; 0 if it nowhere is

    Labels are 0 or 1 per element, predictions are probabilities.

    Sensitivity is the recall, the share of labels 1 that are predicted 1. Specificity is the
    share of labels 0 that are predicted 0.

    Args:
        specificity: least specificity, from 0 to 1.
        num_thresholds: number of thresholds, evenly spaced from 0 to 1; with 1 it is 0.5.
        class_id: column to compute the metric of; by default all.

    Example:
        >>> SensitivityAtSpecificity(0.5)([[0.0], [1.0], [1.0]], [[0.6], [0.4], [0.9]])
        0.5
    """

    specificity: Share
    num_thresholds: PositiveInt = 200
    class_id: NonNegativeInt | None = None

    def thresholds_and_column(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def choice(self, rates: Rates) -> tuple[Array, float, Array]:
        return rates.specificity, self.specificity, rates.recall


@spec
class SpecificityAtSensitivity(AbstractOperatingPoint):
    """Largest specificity where the sensitivity is at least the given one; 0 if it nowhere is

    Labels are 0 or 1 per element, predictions are probabilities. See
    `SensitivityAtSpecificity`.

    Args:
        sensitivity: least sensitivity, from 0 to 1.
        num_thresholds: number of thresholds, evenly spaced from 0 to 1; with 1 it is 0.5.
        class_id: column to compute the metric of; by default all.

    Example:
        >>> SpecificityAtSensitivity(0.5)([[0.0], [1.0], [1.0]], [[0.6], [0.4], [0.9]])
        1.0
    """

    sensitivity: Share
    num_thresholds: PositiveInt = 200
    class_id: NonNegativeInt | None = None

    def thresholds_and_column(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def choice(self, rates: Rates) -> tuple[Array, float, Array]:
        return rates.recall, self.sensitivity, rates.specificity
