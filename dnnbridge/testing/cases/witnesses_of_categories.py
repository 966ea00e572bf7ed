"""Vectors of categories in plain NumPy, written with loops over the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array


def hot(index: Array, depth: int, mode: str) -> Array:
    """Return the vectors of categories; those out of range give zeros, or NaN for several."""
    given = np.asarray(index).astype(int)
    if mode == "one_hot":
        given = given[..., 0] if given.ndim > 1 and given.shape[-1] == 1 else given
        return np.asarray(given[..., None] == np.arange(depth), float)
    made = np.zeros((len(given), depth))
    for row, numbers in zip(made, given, strict=True):
        for number in numbers:
            if 0 <= number < depth:
                row[number] = row[number] + 1.0 if mode == "count" else 1.0
            elif number != PADDING:
                row[:] = np.nan
    return made


PADDING = -(10**6)
"""Stands for a number that counts for nothing."""


def place(tokens: Array, vocabulary: Sequence[Any], mask: Any, mode: str) -> Array:
    """Return the place of each token in a vocabulary with one place for unknown ones."""
    given = np.asarray(tokens)
    unknown = int(mask is not None and mode == "int")
    made = np.full(given.shape, unknown)
    for where, token in np.ndenumerate(given):
        if token == mask:
            made[where] = 0 if mode == "int" else PADDING
        elif token in vocabulary:
            made[where] = unknown + 1 + list(vocabulary).index(token)
    return made
