"""True and false positives and negatives per class, and means over classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import class_of, indicator


@dataclass(frozen=True)
class Counts:
    """Numbers of elements per class, in float64; weighted elements count by their weights.

    Attributes:
        true_positive: label 1, predicted 1.
        false_positive: label 0, predicted 1.
        false_negative: label 1, predicted 0.
    """

    true_positive: Array
    false_positive: Array
    false_negative: Array

    @classmethod
    def of(cls, cells: Array) -> Counts:
        """Return the counts of cells (classes, 4): the one-hot rows of 2 · label + answer."""
        return cls(
            true_positive=cells[:, 3], false_positive=cells[:, 1], false_negative=cells[:, 2]
        )


def leave_out(scope: Scope, cells: Value, target: Value, ignored: int | None) -> Value:
    """Return 0 where the label is the class to ignore; cells have more axes than labels."""
    if ignored is None:
        return cells
    scope.require(
        target.dtype == "int32",
        "ignore_class needs labels that are class numbers",
        got=f"labels {target.type}",
        hint="Give class numbers, or leave ignore_class out.",
    )
    counted = 1.0 - indicator(ops.equal(class_of(target), ignored))
    ones = (1,) * (cells.rank - counted.rank)
    return cells * ops.reshape(counted, (*counted.shape, *ones))


def averaged(
    cells: Array, average: str | None, ratio: Callable[[Counts], Array]
) -> float | list[Any]:
    """Return a metric of counts.

    Args:
        cells: (classes, 4), or (thresholds, classes, 4): then the result is a list.
        average: "micro", the metric of the summed counts; "macro", the mean over classes;
            "weighted", the mean over classes by their number of labels; None, one per class.
        ratio: returns the metric of each class.
    """
    cells = np.atleast_2d(np.asarray(cells, np.float64))
    if cells.ndim == 3:
        return [averaged(each, average, ratio) for each in cells]
    if average == "micro":
        cells = cells.sum(0, keepdims=True)
    counts = Counts.of(cells)
    values = ratio(counts)
    if average is None:
        listed: list[Any] = values.tolist()
        return listed
    if average == "weighted":
        support = counts.true_positive + counts.false_negative
        return float(no_nan(float(np.sum(values * support)), float(np.sum(support))))
    return float(np.mean(values))


def no_nan(part: Array | float, whole: Array | float) -> Array:
    """Return part / whole, and 0 where whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
