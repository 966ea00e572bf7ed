"""The labels that a loss expects, and their check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.array_checks import check_rows, within
from dnnbridge.base.arrays import Array
from dnnbridge.graph import TensorType

SUM_TOLERANCE = 1e-3
"""Largest difference from 1 of the sum of a row of a distribution."""


@dataclass(frozen=True)
class Target:
    """The labels that a loss expects; arrays are checked against it before anything runs.

    Attributes:
        type: shape and dtype for a batch.
        classes: if set, labels are integers from 0 to classes - 1.
        distribution: rows of the last axis are within [0, 1] and sum to 1.
        low: the least label, if any.
        high: the largest label, if any.
        values: the only labels allowed, if set.
        apart: two labels, of which only one may be used, if set.
        ignored: class number of labels that do not count, if any.
        padding: value that fills the end of short rows of labels, if any.
        refused: a label that is not allowed, if any.
    """

    type: TensorType
    classes: int | None = None
    distribution: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] | None = None
    apart: tuple[float, float] | None = None
    ignored: int | None = None
    padding: int | None = None
    refused: int | None = None


def check_range(array: Array, target: Target, where: str) -> None:
    """Raise unless the labels have the values that a target requires."""
    if target.classes is not None:
        _check_classes(array, target.classes, target.ignored, where)
    if target.distribution:
        _check_distribution(array, where)
    if (padding := target.padding) is not None:
        ended = np.cumsum(array == padding, axis=-1) > 0
        check_rows(
            array,
            lambda rows: ended & (rows != padding),
            where,
            f"only {padding} may follow {padding}",
        )
    if (refused := target.refused) is not None:
        check_rows(
            array, lambda rows: rows == refused, where, f"{refused} is not allowed as a label"
        )
    if (low := target.low) is not None:
        check_rows(array, lambda rows: rows < low, where, f"labels must be {low:g} or more")
    if (high := target.high) is not None:
        check_rows(array, lambda rows: rows > high, where, f"labels must be {high:g} or less")
    if (values := target.values) is not None:
        *first, last = (f"{value:g}" for value in values)
        known = f"{', '.join(first)} or {last}" if first else last
        check_rows(array, lambda rows: ~_is_one_of(rows, values), where, f"labels must be {known}")
    if (apart := target.apart) is not None and (array == apart[0]).any():
        check_rows(
            array,
            lambda rows: rows == apart[1],
            where,
            f"labels must not be both {apart[0]:g} and {apart[1]:g}",
        )


def _check_classes(labels: Array, classes: int, ignored: int | None, where: str) -> None:
    if within(labels, 0, classes - 1):
        return
    check_rows(
        labels,
        lambda rows: ((rows < 0) | (rows >= classes)) & (rows != ignored),
        where,
        f"labels must be from 0 to {classes - 1}"
        + ("" if ignored is None else f", or {ignored} to ignore them"),
    )


def _check_distribution(rows: Array, where: str) -> None:
    if not within(rows, 0.0, 1.0):
        what = "probabilities must be from 0 to 1"
        check_rows(rows, lambda r: (r < 0) | (r > 1), where, what)
    check_rows(
        rows.sum(-1, dtype=np.float64),
        lambda sums: np.abs(sums - 1) > SUM_TOLERANCE,
        where,
        "every row must sum to 1, as one-hot labels do",
    )


def _is_one_of(array: Array, values: Sequence[float]) -> Array:
    found: Array = array == values[0]
    for value in values[1:]:
        found |= array == value
    return found
