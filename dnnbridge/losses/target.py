"""What labels must look like, and the check that they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.array_checks import check_rows, within
from dnnbridge.base.arrays import Array
from dnnbridge.graph import TensorType

SUM_TOLERANCE = 1e-3
"""How far a row of a distribution may be from 1."""


@dataclass(frozen=True)
class Target:
    """What a loss expects as labels; arrays are checked against it before anything runs.

    Attributes:
        type: shape and dtype for a batch.
        classes: labels are whole numbers from 0 to classes - 1, where set.
        distribution: rows of the last axis are within [0, 1] and sum to 1.
        low: the least label, where set.
        high: the largest label, where set.
        values: the only labels there are, where set.
        ignored: the class number of labels that do not count, where set.
        padding: what fills rows of labels up at their end, where set.
        refused: a label that there must not be, where set.
    """

    type: TensorType
    classes: int | None = None
    distribution: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] | None = None
    ignored: int | None = None
    padding: int | None = None
    refused: int | None = None


def check_range(array: Array, target: Target, where: str) -> None:
    """Raise unless labels have the values that a target asks for."""
    if target.classes is not None:
        _check_classes(array, target.classes, target.ignored, where)
    if target.distribution:
        _check_distribution(array, where)
    if (padding := target.padding) is not None:
        ended = np.cumsum(array == padding, axis=-1) > 0
        check_rows(array, lambda rows: ended & (rows != padding), where, f"{padding} ends a row")
    if (refused := target.refused) is not None:
        check_rows(array, lambda rows: rows == refused, where, f"{refused} is no label here")
    if (low := target.low) is not None:
        check_rows(array, lambda rows: rows < low, where, f"labels must be {low:g} or more")
    if (high := target.high) is not None:
        check_rows(array, lambda rows: rows > high, where, f"labels must be {high:g} or less")
    if (values := target.values) is not None:
        known = " or ".join(f"{value:g}" for value in values)
        check_rows(array, lambda rows: ~_is_one_of(rows, values), where, f"labels must be {known}")


def _check_classes(labels: Array, classes: int, ignored: int | None, where: str) -> None:
    if within(labels, 0, classes - 1):
        return
    check_rows(
        labels,
        lambda rows: ((rows < 0) | (rows >= classes)) & (rows != ignored),
        where,
        f"labels must be from 0 to {classes - 1}"
        + ("" if ignored is None else f", or {ignored} to be ignored"),
    )


def _check_distribution(rows: Array, where: str) -> None:
    if not within(rows, 0.0, 1.0):
        what = "probabilities must be within 0 and 1"
        check_rows(rows, lambda r: (r < 0) | (r > 1), where, what)
    check_rows(
        rows.sum(-1, dtype=np.float64),
        lambda sums: np.abs(sums - 1) > SUM_TOLERANCE,
        where,
        "every row must sum to 1 (one-hot labels, say)",
    )


def _is_one_of(array: Array, values: Sequence[float]) -> Array:
    found: Array = array == values[0]
    for value in values[1:]:
        found |= array == value
    return found
