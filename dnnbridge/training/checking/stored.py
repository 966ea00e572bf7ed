"""`Stored`: rows that are read and checked when a batch needs them, never all at once."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.formats.shards.rows import ShardRows
from dnnbridge.training.checking.mapped import mapped_rows

READ = 4 * 2**20
"""Most bytes of one read from a file."""

GAP = 64 * 2**10
"""Bytes between two rows that are read along rather than skipped."""

Check: TypeAlias = Callable[[Array, str], Any]
"""Raises unless rows are valid; the second argument is their name in messages."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Rows in a file or a sparse matrix.

    Attributes:
        gather: returns rows as they are stored, by their numbers.
        count: the number of rows.
        sizes: the shape of a row.
        kind: dtype of the stored numbers.
        place: name of the argument, in messages.
        dtype: dtype of the rows that `read` returns.
        convert: makes this dtype, or raises.
        checks: what else raises if a row is invalid.
        first: the number of the first row.
    """

    gather: Callable[[Array], Array]
    count: int
    sizes: tuple[int, ...]
    kind: np.dtype[Any]
    place: str
    dtype: np.dtype[Any]
    convert: Callable[[Array, str], Array]
    checks: tuple[Check, ...] = ()
    first: int = 0

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all rows."""
        return (self.count, *self.sizes)

    def read(self, numbers: Array) -> Array:
        """Return rows by their numbers, checked and converted."""
        numbers = np.asarray(numbers, np.int64) + self.first
        rows = self.gather(numbers)
        try:
            return self._checked(rows)
        except (DataError, DTypeError):
            for k, number in enumerate(numbers):
                self._check_row(rows[k : k + 1], int(number))
            raise

    def read_into(self, numbers: Array, made: Array) -> None:
        """Read the rows of some steps, (steps, batch), a few steps at a time."""
        size = max(numbers.shape[1] * math.prod(self.sizes) * self.kind.itemsize, 1)
        few = max(READ // size, 1)
        for k in range(0, len(numbers), few):
            some = numbers[k : k + few]
            made[k : k + len(some)] = self.read(some.ravel()).reshape(len(some), *made.shape[1:])

    def _checked(self, rows: Array) -> Array:
        made = self.convert(rows, self.place)
        for check in self.checks:
            check(made, self.place)
        return made

    def _check_row(self, row: Array, number: int) -> None:
        try:
            self._checked(row)
        except (DataError, DTypeError) as error:
            where = error.where.replace(f"{self.place}[0", f"{self.place}[{number}", 1)
            got = error.got.partition(" (")[0]  # how many more there are is not known
            raise type(error)(error.what, where=where, got=got, hint=error.hint) from None

    def also(self, check: Check) -> Stored:
        """Return the same rows with one more check."""
        return replace(self, checks=(*self.checks, check))

    def part(self, start: int, stop: int) -> Stored:
        """Return some of the rows."""
        return replace(self, first=self.first + start, count=stop - start)


Column: TypeAlias = Array | Stored
"""One row per example."""

Columns: TypeAlias = Mapping[str, Column]
"""Checked columns by the names of their feeds."""


def rows_of(column: Column, start: int, stop: int) -> Array:
    """Return rows that follow each other."""
    if not isinstance(column, Stored):
        return column[start:stop]
    return column.read(np.arange(start, min(stop, len(column))))


def part(column: Column, start: int, stop: int) -> Column:
    """Return a part of a column without reading it."""
    return column.part(start, stop) if isinstance(column, Stored) else column[start:stop]


def whole(column: Column) -> Array:
    """Return all rows, in memory."""
    return rows_of(column, 0, len(column)) if isinstance(column, Stored) else column


def row_bytes(column: Column) -> int:
    """Return the bytes of a row as it is fed."""
    return math.prod(column.shape[1:]) * column.dtype.itemsize


def gathering(given: Any) -> Callable[[Array], Array] | None:
    """Return what reads rows by their numbers, or None if this is in memory as it is.

    Example:
        >>> gathering(np.zeros((3, 2))) is None
        True
    """
    if isinstance(given, np.memmap):
        return mapped_rows(given) if given.filename is not None else None  # else a result of NumPy
    if is_sparse(given):
        rows = given.tocsr()
        return lambda numbers: np.asarray(rows[numbers].toarray())
    if isinstance(given, ShardRows):
        return given.__getitem__
    if is_sliceable(given):
        return lambda numbers: _in_pieces(given, numbers)
    return None


def is_sliceable(given: Any) -> bool:
    """Return whether this has a shape and numbers, which are read by slices, as from a file."""
    if isinstance(given, np.ndarray | Sequence) or hasattr(type(given), "__dlpack__"):
        return False
    typed = isinstance(getattr(given, "dtype", None), np.dtype)
    shaped = isinstance(getattr(given, "shape", None), tuple)
    return typed and shaped and hasattr(given, "__getitem__") and hasattr(given, "__len__")


def is_sparse(given: Any) -> bool:
    """Return whether this is a sparse matrix or array of SciPy."""
    scipy: Any = sys.modules.get("scipy.sparse")
    return scipy is not None and bool(scipy.issparse(given)) and given.ndim == 2


def _in_pieces(given: Any, numbers: Array) -> Array:
    """Return rows of what can only be sliced, in few reads of limited size."""
    wanted, back = np.unique(numbers, return_inverse=True)
    size = max(math.prod(given.shape[1:]) * given.dtype.itemsize, 1)
    apart = np.diff(wanted) > max(GAP // size, 1)
    filled = np.diff(wanted // max(READ // size, 1)) > 0
    parts = []
    for run in np.split(wanted, np.flatnonzero(apart | filled) + 1):
        rows = np.asarray(given[int(run[0]) : int(run[-1]) + 1])
        parts.append(rows[run - run[0]])
    made: Array = np.concatenate(parts)[back]
    return made
