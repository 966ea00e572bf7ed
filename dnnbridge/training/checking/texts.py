"""Texts as they are given: arrays, nested lists, columns and frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.texts import KINDS, as_object_array
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.graph import TensorType
from dnnbridge.training.checking.array_like import is_array_like, kind_of
from dnnbridge.training.checking.frames import (
    check_collected,
    is_column,
    is_frame,
    object_array,
)

TAKEN = "Give an array or a list of texts, one row per example, or a column of a DataFrame."


def as_objects(given: Any, where: str) -> Array:
    """Return an array whose elements may be texts; `digests` checks each.

    Raises:
        DTypeError: it is no array, list, frame or column.
        DataError: rows have different lengths.
    """
    check_collected(given, where)
    if is_frame(given) or is_column(given):
        return object_array(given, where)
    if not is_array_like(given):
        raise DTypeError("needs an array of texts", where=where, got=kind_of(given), hint=TAKEN)
    try:
        return as_object_array(given)
    except ValueError:
        raise DataError(
            "cannot be converted to an array",
            where=where,
            got="rows of different lengths",
            hint="Give all rows the same length.",
        ) from None


def check_text_dtype(dtype: np.dtype[Any], where: str) -> None:
    """Raise unless arrays of this dtype may hold texts."""
    if dtype.kind not in KINDS:
        raise DTypeError(
            "needs texts",
            where=where,
            got=f"dtype {dtype}",
            hint='Give texts, or write Input(…, dtype="int32") or "float32" for numbers.',
        )


def is_digests(given: Any, type: TensorType) -> bool:
    """Return whether these are digests of texts, which a run has computed before."""
    if not (type.text and isinstance(given, np.ndarray) and given.dtype == np.int32):
        return False
    return given.ndim == type.rank and given.shape[1:] == type.shape[1:]
