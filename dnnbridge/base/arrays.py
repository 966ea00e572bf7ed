"""The type of array values, named once, and what is asked of them everywhere."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

ALIGNMENT = 64
"""Bytes; a framework reads an array that begins at a multiple of it where it lies."""


def is_finite(array: Array) -> bool:
    """Return whether all elements are finite.

    Their sum tells, in one pass without a second array, unless finite numbers sum to infinity.

    Example:
        >>> is_finite(np.array([3e38, 3e38], np.float32)), is_finite(np.array([1.0, np.nan]))
        (True, False)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    return bool(np.isfinite(total) or np.isfinite(array).all())
