"""The area under a curve, from the positives at each threshold."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.metrics.counts import no_nan
from dnnbridge.specs.fields import also

Curve = Annotated[
    Literal["ROC", "PR", "PRGAIN"], also({"roc": "ROC", "pr": "PR", "prgain": "PRGAIN"})
]

Summation = Annotated[
    Literal["interpolation", "minoring", "majoring"],
    also({word.capitalize(): word for word in ("interpolation", "minoring", "majoring")}),
]


def area(false: Array, true: Array, curve: Curve, summation: Summation) -> float:
    """Return the area under a curve.

    Args:
        false: false positives at each threshold, of which the first is below all predictions.
        true: true positives, in the same way.
        curve: as in `AUC`.
        summation: as in `AUC`.
    """
    if curve == "PR" and summation == "interpolation":
        return _area_of_precision(false, true)
    x, y = _points(false, true, curve)
    left, right = y[:-1], y[1:]
    if summation == "interpolation":
        heights = (left + right) / 2.0
    else:
        heights = np.minimum(left, right) if summation == "minoring" else np.maximum(left, right)
    return float(np.sum((x[:-1] - x[1:]) * heights))


def _points(false: Array, true: Array, curve: Curve) -> tuple[Array, Array]:
    """Return the coordinates of the curve, from right to left."""
    positives, negatives = true[0], false[0]
    if curve == "ROC":
        return no_nan(false, negatives), no_nan(true, positives)
    if curve == "PR":
        return no_nan(true, positives), no_nan(true, true + false)
    scale = no_nan(positives, negatives)
    recall_gain = np.where(true > 0, 1.0 - scale * no_nan(positives - true, true), 0.0)
    precision_gain = np.where(true > 0, 1.0 - scale * no_nan(false, true), 1.0)
    return np.maximum(recall_gain, 0.0), precision_gain


def _area_of_precision(false: Array, true: Array) -> float:
    """Integrate precision over recall; `slope` is Δ true / Δ positives between two thresholds."""
    positives = true + false
    d_true, d_positives = true[:-1] - true[1:], positives[:-1] - positives[1:]
    slope = no_nan(d_true, d_positives)
    start = true[1:] - slope * positives[1:]
    some = (positives[:-1] > 0) & (positives[1:] > 0)
    growth = np.where(some, no_nan(positives[:-1], positives[1:]), 1.0)
    return float(no_nan(np.sum(slope * (d_true + start * np.log(growth))), true[0]))
