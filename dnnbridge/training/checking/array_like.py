"""Convert data to an array, or raise an error that lists the accepted types."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.training.checking.frames import check_collected, frame_array, is_column, is_frame

TAKEN = (
    "Give a NumPy array, a list of rows, a DataFrame or a Tensor. A data set, a generator or a "
    "data loader gives batches of inputs and labels, and takes the place of x and y: fit(batches)."
)


def as_array(given: Any, where: str) -> Array:
    """Return an array of numbers, or raise."""
    check_collected(given, where)
    if is_frame(given) or is_column(given):
        return frame_array(given, where)
    if not is_array_like(given):
        raise DTypeError(
            "needs an array, one row per example", where=where, got=kind_of(given), hint=TAKEN
        )
    try:
        array = np.asarray(given)
    except ValueError as error:
        ragged = "inhomogeneous" in str(error)
        raise DataError(
            "cannot be converted to an array",
            where=where,
            got="rows of different lengths" if ragged else f"{kind_of(given)}: {error}",
            hint=_hint_of_rows(given) if ragged else TAKEN,
        ) from None
    except Exception as error:  # a Tensor without values may raise any exception
        raise DataError(
            "cannot be read as an array",
            where=where,
            got=f"{kind_of(given)}: {type(error).__name__}: {shorten(str(error))}",
            hint=TAKEN,
        ) from error
    if array.dtype.kind not in "fiubc":
        wrong = [value for value in np.ravel(array).tolist() if not isinstance(value, Number)]
        raise DTypeError(
            "needs numbers",
            where=where,
            got=f"dtype {array.dtype}" + (f" with {shorten(wrong[0])} in it" if wrong else ""),
            hint="Convert dates and missing values to numbers first. For texts write "
            'Input(…, dtype="string") and a StringLookup.'
            if wrong
            else f"Convert it: np.asarray({where}, float).",
        )
    return array


def _hint_of_rows(given: Any) -> str:
    first = given[0] if isinstance(given, list) else None
    if isinstance(first, tuple) and len(getattr(first[0], "shape", ())) > 1:
        return "For batches (x, y): this call takes arrays, such as those of one batch."
    return "Give all rows the same length."


def is_array_like(given: Any) -> bool:
    """Return whether NumPy can make an array of this."""
    if isinstance(given, (str, bytes)) or given is None:
        return False
    known = isinstance(given, (np.ndarray, Sequence, Number, memoryview))
    return known or any(
        hasattr(type(given), name) for name in ("__array__", "__array_interface__", "__buffer__")
    )


def kind_of(given: Any) -> str:
    """Name a value for a message, by its class.

    Example:
        >>> kind_of([1]), kind_of(None)
        ('a list', 'None')
    """
    if given is None or isinstance(given, (str, bytes)):
        return shorten(given)
    module = type(given).__module__.partition(".")[0]
    name = type(given).__qualname__
    return f"a {name}" if module == "builtins" else f"a {name} of {module}"
