"""`Trainings`: the histories of several trainings, in one picture and one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def values_of(history: History, metric: str) -> list[float]:
    """Return the values of a metric after each epoch; empty if they are not single numbers."""
    found = history.history.get(metric, [])
    return [] if any(isinstance(value, list) for value in found) else [float(v) for v in found]  # type: ignore[arg-type]


def metrics_of(histories: Mapping[str, History]) -> list[str]:
    """Return the names of numbers that all histories have, in order."""
    every = list(histories.values())
    names = every[0].history if every else {}
    return [name for name in names if all(values_of(each, name) for each in every)]


def epochs_of(history: History, values: Sequence[float]) -> list[float]:
    """Return the places of values in a picture: epochs counted from 1 in this training."""
    count = len(history.epochs)
    return np.linspace(count / len(values), count, len(values)).tolist() if values else []


def best_of(values: Sequence[float], goal: str) -> tuple[int, float]:
    """Return where the best value is, counted from 0, and the value; NaN is never best.

    Example:
        >>> best_of([3.0, 1.0, 2.0], "min"), best_of([0.5, 0.9], "max")
        ((1, 1.0), (1, 0.9))
    """
    worst = math.inf if goal == "min" else -math.inf
    clean = [value if math.isfinite(value) else worst for value in values]
    best = int(np.argmin(clean) if goal == "min" else np.argmax(clean))
    return best, float(values[best])


def pictured(histories: Mapping[str, History], metric: str) -> Figure:
    """Draw a metric of several trainings, dashed for the validation data."""
    from dnnbridge.diagnose.pictures import curves

    found: dict[str, Any] = {}
    dashed = []
    for name, history in histories.items():
        for key, shown in ((metric, name), (f"val_{metric}", f"{name}, validation")):
            values = values_of(history, key)
            if values:
                found[shown] = (epochs_of(history, values), values)
                dashed += [shown] if key != metric else []
    return curves(found, "epoch", metric, dashed=dashed)
