"""The type of array values, and checks that are needed everywhere."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

ALIGNMENT = 64
"""Alignment in bytes; a framework reads an array with this alignment without a copy."""


def is_finite(array: Array) -> bool:
    """Return whether all elements are finite.

    The sum of the elements usually decides, in one pass without a second array. Only if finite
    numbers sum to infinity, a second check follows.

    Example:
        >>> is_finite(np.array([3e38, 3e38], np.float32)), is_finite(np.array([1.0, np.nan]))
        (True, False)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    return bool(np.isfinite(total) or np.isfinite(array).all())
