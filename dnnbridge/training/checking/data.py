"""Check arrays against the spec before anything runs, without broadcasting or guessing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dnnbridge.base.array_checks import check_rows, within
from dnnbridge.base.arrays import Array, is_finite
from dnnbridge.base.texts import digests
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.graph import TensorType
from dnnbridge.graph.types import DType, shape_text
from dnnbridge.losses.target import Target, check_range
from dnnbridge.training.checking.array_like import as_array
from dnnbridge.training.checking.frames import columns_of, in_frame, is_column, is_frame
from dnnbridge.training.checking.stored import Check, Column, Stored, gathering
from dnnbridge.training.checking.texts import as_objects, check_text_dtype, is_digests

KINDS: dict[DType, tuple[type[np.generic], str]] = {
    "float32": (np.floating, "floating-point"),
    "int32": (np.integer, "whole-number"),
    "bool": (np.bool_, "true or false"),
}
"""For each dtype of the spec: the accepted NumPy type, and its name in messages."""


def check_input(x: Any, type: TensorType, where: str = "x") -> Column:
    """Return an input as rows of the spec's dtype, or raise."""
    return _check(x, type, where)


def also_checked(column: Column, check: Check, where: str) -> Column:
    """Return the same rows with one more check: now, or where they are read."""
    if isinstance(column, Stored):
        return column.also(check)
    check(column, where)
    return column


def check_inputs(
    x: Any, types: Mapping[str, TensorType], where: str = "x", rows: Mapping[str, int] | None = None
) -> dict[str, Column]:
    """Return the inputs of a model by the names of their feeds, or raise.

    Args:
        x: an array, a list of arrays, or a dictionary of them; a frame whose columns are the
            inputs of a model with several.
        types: types of the inputs, by name.
        where: the caller's name for `x`, used in messages.
        rows: for each input that indexes a table: the number of rows of the table, by feed name.
    """
    given = by_input(x, types, where)
    places = {name: where if len(types) == 1 else f"{where}[{name!r}]" for name in types}
    arrays = {name: check_input(given[name], types[name], places[name]) for name in types}
    if len({len(array) for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{len(array)} of {name}" for name, array in arrays.items())
        raise DataError("all inputs need the same number of rows", where=where, got=sizes)
    for name, array in arrays.items():
        if count := (rows or {}).get(f"input:{name}"):
            check = partial(check_numbers, count=count)
            arrays[name] = also_checked(array, check, places[name])
    return {f"input:{name}": array for name, array in arrays.items()}


def by_input(x: Any, types: Mapping[str, TensorType], where: str = "x") -> Mapping[str, Any]:
    """Return what is given for each input of a model, not checked; or raise."""
    if len(types) == 1 and not isinstance(x, Mapping):
        x = [x]
    elif is_frame(x):
        x = columns_of(x)
    given = x if isinstance(x, Mapping) else dict(zip(types, x, strict=False))
    if given.keys() != types.keys() or len(x) != len(types):
        raise DataError(
            f"the model has the inputs {', '.join(types)}",
            where=where,
            got=", ".join(map(str, x)) if isinstance(x, Mapping) else f"{len(x)} arrays",
            hint="Give a list of arrays in this order, or a dictionary.",
        )
    return given


def check_targets(y: Any, targets: Sequence[Target], where: str = "y") -> Column:
    """Return labels as rows of the dtype of the first target, valid for all of them, or raise."""
    column = _check(y, targets[0].type, where, labels=True)
    for target in targets:
        column = also_checked(column, partial(_check_range, target=target), where)
    return column


def _check_range(array: Array, where: str, target: Target) -> None:
    check_range(array, target, where)


def check_pair(x: Column, y: Column, where: tuple[str, str] = ("x", "y")) -> None:
    """Raise unless inputs and labels have the same, non-zero number of rows."""
    if len(x) != len(y) or not len(x):
        raise DataError(
            "need the same, non-zero number of rows",
            where=" and ".join(where),
            got=f"{len(x)} and {len(y)}",
            hint="Give one label per example.",
        )


def check_bool(value: Any, where: str) -> None:
    """Raise unless this is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise DataError("must be True or False", where=where, got=repr(value))


def check_positive(value: Any, where: str, otherwise: str = "") -> int:
    """Return a whole number above 0, or raise; `otherwise` names other accepted values."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise DataError(f"must be a whole number above 0{otherwise}", where=where, got=repr(value))
    return int(value)


def check_count(value: Any, where: str) -> int:
    """Return a whole number of 0 or more, or raise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise DataError("must be a whole number of 0 or more", where=where, got=repr(value))
    return int(value)


def _check(given: Any, type: TensorType, where: str, *, labels: bool = False) -> Column:
    """Return rows of a type, or raise.

    As in Keras, labels may be whole numbers or truths where numbers are needed, and a list of
    numbers where each example has one.
    """
    gather = None if is_frame(given) or is_column(given) else gathering(given)
    if is_digests(given, type):
        return np.ascontiguousarray(given, np.int32)
    if gather is None:
        read = as_objects if type.text else as_array
        array = _shaped(read(given, where), given, type, labels)
    else:
        array = given
    if type.text:
        check_text_dtype(array.dtype, where)
    elif not (labels and type.dtype == "float32" and array.dtype.kind in "iub"):
        _check_dtype(array.dtype, type, where, given)
    sizes = tuple(array.shape[1:])
    if sizes != type.data_shape[1:] or len(array.shape) != len(type.data_shape):
        raise DataError(
            f"needs shape ({shape_text(type.data_shape)})",
            where=where,
            got=f"shape {tuple(array.shape)}",
            hint=_shape_hint(tuple(array.shape), type, where),
        )
    dtype, convert = np.dtype(type.dtype), digests if type.text else CONVERSIONS[type.dtype]
    if gather is None:
        return _converted(array, convert, where, given)
    kept = tuple(size or 0 for size in type.shape[1:])
    return Stored(gather, int(array.shape[0]), kept, array.dtype, where, dtype, convert)


def _converted(
    array: Array, convert: Callable[[Array, str], Array], where: str, given: Any
) -> Array:
    """Return an array of the spec's dtype; an error names the column of a frame."""
    try:
        return convert(array, where)
    except DataError as error:
        place = in_frame(where, given, error.where)
        raise DataError(error.what, where=place, got=error.got, hint=error.hint) from None


def _shaped(array: Array, given: Any, type: TensorType, labels: bool) -> Array:
    """Return a column of a frame with an axis of size 1, or a frame of one column without it."""
    if (is_column(given) or (labels and array.ndim == 1)) and type.data_shape[1:] == (1,):
        return array[:, None]
    if is_frame(given) and len(type.data_shape) == 1 and array.shape[1:] == (1,):
        return array[:, 0]
    return array


def as_float32(array: Array, where: str) -> Array:
    """Return finite numbers as float32, or raise; a float32 array is not copied."""
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, np.float32)
    if not is_finite(converted):
        check_finite(array, where)
        check_size(array, where)
    return converted


def check_size(array: Array, where: str) -> None:
    """Raise if an array holds a finite number that is too large for float32."""
    check_rows(
        array,
        lambda rows: np.isfinite(rows) & (np.abs(rows) > np.finfo(np.float32).max),
        where,
        "is too large for float32, whose largest number is 3.4e38",
        "Give smaller numbers.",
    )


def check_finite(array: Array, where: str) -> None:
    """Raise if an array holds NaN or infinity."""
    if array.dtype.kind == "f" and not is_finite(array):
        check_rows(array, lambda rows: ~np.isfinite(rows), where, "holds NaN or infinity")


def check_numbers(array: Array, where: str, *, count: int) -> None:
    """Raise unless all numbers are row numbers of a table with `count` rows."""
    if not within(array, 0, count - 1):
        check_rows(
            array,
            lambda numbers: (numbers < 0) | (numbers >= count),
            where,
            f"row numbers of the table must be from 0 to {count - 1}",
        )


def _check_dtype(dtype: np.dtype[Any], type: TensorType, where: str, given: Any) -> None:
    wanted, word = KINDS[type.dtype]
    if np.issubdtype(dtype, wanted):
        return
    method = hasattr(given, "astype") or not is_frame(given) | is_column(given)
    call = f'{where}.astype("{type.dtype}")' if method else f'np.asarray({where}, "{type.dtype}")'
    raise DTypeError(
        f"needs {word} values",
        where=where,
        got=f"dtype {dtype}",
        hint=f"Convert it: {call}"
        + (", scaled as the model expects." if type.dtype == "float32" else "."),
    )


def _as_int32(array: Array, where: str) -> Array:
    limits = np.iinfo(np.int32)
    if not within(array, limits.min, limits.max):
        wrong = array.max() if array.max() > limits.max else array.min()
        raise DataError("needs values within int32", where=where, got=f"{wrong}")
    return np.ascontiguousarray(array, np.int32)


def _as_bool(array: Array, where: str) -> Array:
    return np.ascontiguousarray(array, np.bool_)


CONVERSIONS: dict[DType, Callable[[Array, str], Array]] = {
    "float32": as_float32,
    "int32": _as_int32,
    "bool": _as_bool,
}
"""For each dtype of the spec: what makes it of an accepted one, or raises."""


def _shape_hint(shape: tuple[int, ...], type: TensorType, where: str) -> str:
    wanted = type.data_shape
    if shape and math.prod(shape[1:]) == math.prod(size or 1 for size in wanted):
        sizes = ", ".join(str(dim) for dim in (-1, *wanted[1:]))
        return f"The number of elements fits; to reshape them: {where}.reshape({sizes})."
    return "Give one row per example, each with the shape in the spec."
