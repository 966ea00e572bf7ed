"""What layers that prepare inputs compute of data: whole arrays, or batches one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten, what
from dnnbridge.errors import SpecError


def _as_array(batch: Any, where: str) -> Array:
    return np.asarray(batch)


def batches_of(
    data: Any, where: str, read: Callable[[Any, str], Array] = _as_array
) -> Iterator[Array]:
    """Yield the arrays of data, each with the batch as its first axis.

    Args:
        data: an array; nested lists of numbers; or an iterable of batches: a list of arrays, a
            generator. The inputs are the first part of a batch that is a tuple.
        where: the caller's name, for messages.
        read: makes an array of a batch, or raises.

    Raises:
        SpecError: it is none of these.

    Example:
        >>> [len(batch) for batch in batches_of([np.zeros(3), np.zeros(2)], "adapt")]
        [3, 2]
        >>> [batch.shape for batch in batches_of([[1.0, 2.0], [3.0, 4.0]], "adapt")]
        [(2, 2)]
    """
    data = data.toarray() if hasattr(data, "toarray") else data  # sparse rows of SciPy
    if isinstance(data, (str, bytes, Mapping)) or not (
        _is_array(data) or hasattr(data, "__iter__")
    ):
        hint = "Give an array, for example one column: data['price']."
        raise SpecError("cannot adapt to this", where=where, got=what(data), hint=hint)
    if is_whole(data):
        yield read(data, where)
        return
    for batch in data:
        yield read(batch[0] if isinstance(batch, tuple) else batch, where)


def is_whole(data: Any) -> bool:
    """Return whether data are one array, or nested lists of numbers, and not batches."""
    return _is_array(data) or (isinstance(data, Sequence) and not _holds_batches(data))


def _is_array(data: Any) -> bool:
    return hasattr(data, "__array__")


def _holds_batches(data: Sequence[Any]) -> bool:
    first = data[0] if data else None
    return _is_array(first[0] if isinstance(first, tuple) and first else first)


def floats(batch: Array, where: str) -> Array:
    """Return a batch in float64.

    Raises:
        SpecError: it does not hold numbers, or holds NaN or infinity.
    """
    if batch.dtype.kind not in "fiub":
        raise SpecError(
            "the data must be numbers",
            where=where,
            got=f"dtype {batch.dtype}",
            hint="Convert them with x.astype(float).",
        )
    x = np.asarray(batch, np.float64)
    if not np.isfinite(x).all():
        raise SpecError(
            "the data must be finite",
            where=where,
            got=f"{np.count_nonzero(~np.isfinite(x))} of {x.size} numbers are NaN or infinite",
            hint="Replace NaN and infinities, or leave these rows out.",
        )
    return x


def whole_numbers(batch: Array, where: str) -> Array:
    """Return a batch in int64.

    Raises:
        SpecError: its dtype is not an integer, or a number is not within int32.
    """
    if batch.dtype.kind not in "iu":
        hint = 'Convert it: data.astype("int32").'
        raise SpecError("needs whole numbers", where=where, got=f"dtype {batch.dtype}", hint=hint)
    limits = np.iinfo(np.int32)
    if batch.size and not (limits.min <= batch.min() and batch.max() <= limits.max):
        raise SpecError("needs numbers within int32", where=where, got=shorten(batch, 60))
    return np.asarray(batch, np.int64)


def mean_and_variance(
    data: Any, axis: int | tuple[int, ...] | None, where: str
) -> tuple[Array, Array]:
    """Return mean and variance in float64, with the sizes of the given axes.

    One pass joins the moments of batches (Chan, Golub & LeVeque, 1983), so the result does not
    depend on how the examples are batched, apart from rounding in float64.

    Args:
        data: as `batches_of` takes it.
        axis: the axes along which each index has its own mean.
        where: the caller's name, for messages.

    Raises:
        SpecError: the data are empty or not finite, or lack an axis; batches differ in a size.
    """
    given = (axis,) if isinstance(axis, int) else axis or ()
    count, mean, scatter = 0, np.zeros(()), np.zeros(())
    for batch in batches_of(data, where):
        x = floats(batch, where)
        if not x.size or any(not -x.ndim <= i < x.ndim for i in given):
            got = f"axis {axis} of data of shape {x.shape}"
            hint = "Give rows of data, and an axis that they have."
            raise SpecError("the data are empty or lack the axis", where=where, got=got, hint=hint)
        others = tuple(i for i in range(x.ndim) if i not in {j % x.ndim for j in given})
        own, spread = x.mean(others), x.var(others)
        if count and own.shape != mean.shape:
            got = f"{own.shape} after {mean.shape}"
            raise SpecError("batches have different sizes", where=where, got=got)
        number = x.size // own.size
        step, total = own - mean, count + number
        scatter = scatter + spread * number + step**2 * (count * number / total)
        mean, count = mean + step * (number / total), total
    if not count:
        raise SpecError("there are no data", where=where, hint="Give at least one batch.")
    return mean, scatter / count
