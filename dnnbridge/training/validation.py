"""`Validation`: what `fit` evaluates after its epochs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.messages import what
from dnnbridge.base.warning import ValidationWarning, warn
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.checking.stored import Columns, part
from dnnbridge.training.feeding.batches import examples_of
from dnnbridge.training.sources.reading import Reading

Data = Columns
"""Checked columns by the names of their feeds."""


@dataclass(frozen=True, eq=False)
class Validation:
    """What `fit` evaluates after some or all epochs.

    Attributes:
        data: examples by the names of their feeds, or batches of them.
        freq: every how many epochs, or the numbers of the epochs, counted from 1.
    """

    data: Data | Reading
    freq: int | frozenset[int]

    def due(self, epoch: int) -> bool:
        """Return whether to evaluate after an epoch, counted from 0."""
        if isinstance(self.freq, int):
            return (epoch + 1) % self.freq == 0
        return epoch + 1 in self.freq


def checked_freq(value: Any) -> int | frozenset[int]:
    """Return a valid value of `validation_freq`, or raise."""
    others = ", or a list of numbers of epochs, counted from 1"
    if isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping):
        return frozenset(check_positive(each, "validation_freq", others) for each in value)
    return check_positive(value, "validation_freq", others)


def check_comes(freq: int | frozenset[int], begun: int, until: int) -> None:
    """Warn if numbers of epochs are given, and `fit` reaches none of them.

    Args:
        freq: `validation_freq`.
        begun: the epochs before `fit`.
        until: the epochs after it.
    """
    epochs = range(begun + 1, until + 1)
    if isinstance(freq, int) or not epochs or any(each in epochs for each in freq):
        return
    warn(
        f"validation_freq={sorted(freq)} names none of the epochs {epochs[0]} to {epochs[-1]}, "
        "which are counted from the start of the run: nothing is evaluated",
        ValidationWarning,
    )


def split(data: Data, unweighted: Data, fraction: Any) -> tuple[Data, Data]:
    """Return the first part of the examples for training, and the last for validation.

    Args:
        data: checked examples.
        unweighted: the same without the weights of classes, which validation does not use.
        fraction: how much of them is for validation; as in Keras, training gets the whole number
            below its part.

    Raises:
        DataError: the fraction is not between 0 and 1, or leaves one part without examples.
    """
    number = isinstance(fraction, (int, float, np.number)) and not isinstance(fraction, bool)
    if not number or not 0 < fraction < 1:
        raise DataError(
            "must be a number between 0 and 1", where="validation_split", got=what(fraction)
        )
    count = examples_of(data)
    first = math.floor(count * (1.0 - float(fraction)))
    if not 0 < first < count:
        raise DataError(
            "leaves no examples for " + ("validation" if first else "training"),
            where="validation_split",
            got=f"{fraction:g} of {count} examples",
        )
    return (
        {name: part(column, 0, first) for name, column in data.items()},
        {name: part(column, first, count) for name, column in unweighted.items()},
    )
