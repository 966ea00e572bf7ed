"""Frames and columns of pandas and polars as arrays; neither package is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DTypeError

PACKAGES = ("pandas", "polars")


def is_frame(given: Any) -> bool:
    """Return whether this is a table of pandas or polars."""
    return _is(given, "DataFrame")


def is_column(given: Any) -> bool:
    """Return whether this is a column of pandas or polars."""
    return _is(given, "Series")


def columns_of(frame: Any) -> dict[str, Any]:
    """Return the columns of a frame by their names."""
    return {name: frame[name] for name in frame.columns}


def frame_array(given: Any, where: str) -> Array:
    """Return the numbers of a frame, (rows, columns), or of a column, (rows,), or raise."""
    return _of_columns(given, where, _numbers)


def object_array(given: Any, where: str) -> Array:
    """Return the objects of a frame, (rows, columns), or of a column, (rows,), such as texts."""
    return _of_columns(given, where, _objects)


def _of_columns(given: Any, where: str, read: Callable[[Any, str], Array]) -> Array:
    if is_column(given):
        return read(given, where)
    names = list(given.columns)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DTypeError("has two columns of one name", where=where, got=repr(twice))
    made = [read(given[name], f"{where}[{name!r}]") for name in names]
    return np.stack(made, axis=1) if made else np.empty((len(given), 0))


def _objects(column: Any, where: str) -> Array:
    """Return the elements; categories are their texts, and what is missing is None or NaN."""
    listed = column.to_list()
    made = np.empty(len(listed), object)
    made[:] = listed
    return made


def in_frame(where: str, given: Any, place: str) -> str:
    """Return a place in a frame's array by the name of its column.

    Args:
        where: the caller's name for the frame.
        given: the frame.
        place: where an error was found.

    Example:
        >>> import pandas
        >>> in_frame("x", pandas.DataFrame({"age": [1.0], "size": [2.0]}), "x[0, 1]")
        "x['size'], row 0"
    """
    found = re.fullmatch(re.escape(where) + r"\[(\d+), (\d+)\]", place)
    if found is None or not is_frame(given):
        return place
    row, column = map(int, found.groups())
    return f"{where}[{list(given.columns)[column]!r}], row {row}"


def check_collected(given: Any, where: str) -> None:
    """Raise if this is a query of polars that has not been run."""
    if _is(given, "LazyFrame"):
        raise DTypeError(
            "is a query without numbers",
            where=where,
            got="a LazyFrame of polars",
            hint=f"Write {where}.collect().",
        )


def _numbers(column: Any, where: str) -> Array:
    array = np.asarray(column.to_numpy())
    if array.dtype.kind in "fiub":
        return array
    if (floats := _as_floats(column)) is not None:
        return floats
    kind = str(column.dtype)
    raise DTypeError("needs numbers", where=where, got=f"dtype {kind}", hint=_hint(column, kind))


def _as_floats(column: Any) -> Array | None:
    """Return numbers of a type that NumPy lacks; what is missing is NaN."""
    if _is(column, "Series", "polars"):
        if not column.dtype.is_numeric() and str(column.dtype) != "Boolean":
            return None
        return np.asarray(column.cast(sys.modules["polars"].Float64).to_numpy())
    types = sys.modules["pandas"].api.types
    if not types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return None
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _hint(column: Any, kind: str) -> str:
    """Say how to make numbers of a column of this dtype."""
    if any(word in kind.lower() for word in ("date", "time", "duration")):
        return "Give numbers instead, such as the days since the first date."
    if kind == "object" and all(isinstance(each, Number | None) for each in column.to_list()):
        return 'It holds numbers as objects: .astype("float64") makes them plain.'
    if _is(column, "Series", "polars"):
        one_hot, codes = "frame.to_dummies()", ".cast(pl.Categorical).to_physical()"
    else:
        one_hot, codes = "pandas.get_dummies(frame)", '.astype("category").cat.codes'
    return (
        'Write Input((1,), "string") and a StringLookup for it; or make a column for each '
        f"category with {one_hot}, or numbers of categories, for labels or an Embedding, with "
        f"{codes}; or leave the column out."
    )


def _is(given: Any, name: str, *packages: str) -> bool:
    """Return whether this is an object of a class of pandas or polars, whichever is imported."""
    for package in packages or PACKAGES:
        found = getattr(sys.modules.get(package), name, None)
        if isinstance(found, type) and isinstance(given, found):
            return True
    return False
