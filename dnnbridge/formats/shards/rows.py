"""`ShardRows`: an array whose rows lie in several files, read by their numbers."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import what
from dnnbridge.errors import DataError
from dnnbridge.formats.numbers import as_float32
from dnnbridge.formats.shards.places import Place, stored_dtype
from dnnbridge.formats.shards.reading import Files

Numbers: TypeAlias = Sequence[int] | Array
"""Numbers of rows, or a truth for each row."""

BOUNDED = 8 * 2**20
"""Bytes of rows that follow each other and are read at once."""


class ShardRows:
    """An array whose rows lie in several files; made by `Shards`.

    A row, a slice or rows by their numbers come as a new array in memory. Nothing else is read.

    Attributes:
        name: its name in the files.
        shape: all rows of all files, then the sizes of a row.
        dtype: of the rows; bfloat16 comes as float32.

    Args:
        name: its name in the files.
        files: the files.
        places: where the array lies in each file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import dnnbridge as db
        >>> with TemporaryDirectory() as folder:
        ...     for k in range(2):
        ...         np.savez(f"{folder}/{k}.npz", x=np.arange(3) + 3 * k)
        ...     x = db.Shards(folder)["x"]
        ...     x.shape, x[4].item(), x[1:4].tolist(), x[[5, 0]].tolist()
        ((6,), 4, [1, 2, 3], [5, 0])
    """

    def __init__(self, name: str, files: Files, places: Sequence[Place]) -> None:
        self.name, self._files, self._places = name, files, places
        self._ends = np.cumsum([place.shape[0] for place in places])
        self._half = places[0].dtype == "bfloat16"
        self.dtype: np.dtype[Any] = np.dtype(np.float32) if self._half else stored_dtype(places[0])
        self.shape: tuple[int, ...] = (int(self._ends[-1]), *places[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def counts(self) -> list[int]:
        """The number of rows in each file."""
        return [place.shape[0] for place in self._places]

    @property
    def nbytes(self) -> int:
        """The bytes of all rows."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __repr__(self) -> str:
        files = len(self._places)
        return f"<ShardRows {self.name!r}: shape {self.shape}, {self.dtype}, {files} files>"

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice | Numbers) -> Array: ...
    def __getitem__(self, index: SupportsIndex | slice | Numbers) -> Any:
        """Return a row, or rows by a slice, by their numbers, or by a truth for each.

        Raises:
            DataError: it is something else, or there is no such row.
        """
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._between(start, stop) if step == 1 else self[np.arange(start, stop, step)]
        one = isinstance(index, np.ndarray) and not index.ndim
        if one or not isinstance(index, np.ndarray | list | range):
            return self._by_number(np.array([self._number(index)]))[0]
        try:
            numbers = np.asarray(index, np.int64) if len(index) == 0 else np.asarray(index)
        except ValueError:  # lists of unequal lengths
            raise self._refused(index) from None
        if numbers.dtype == bool and numbers.shape == (len(self),):
            numbers = np.flatnonzero(numbers)
        if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
            raise self._refused(index)
        return self._by_number(self._checked(numbers.astype(np.int64)))

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows one after another; a part of a file is read at a time."""
        few = max(BOUNDED // max(self.nbytes // max(len(self), 1), 1), 1)
        for start in range(0, len(self), few):
            yield from self._between(start, min(start + few, len(self)))

    def _number(self, index: Any) -> int:
        if isinstance(index, bool) or np.asarray(index).dtype.kind == "b":
            raise self._refused(index)
        try:
            return int(self._checked(np.array([operator.index(index)]))[0])
        except TypeError:
            raise self._refused(index) from None

    def _refused(self, index: Any) -> DataError:
        hint = "Give a number, a slice, or a list of numbers; then index the array that comes."
        return DataError("rows are chosen by number", where=self.name, got=what(index), hint=hint)

    def _checked(self, numbers: Array) -> Array:
        count = len(self)
        wrong = numbers[(numbers < -count) | (numbers >= count)]
        if wrong.size:
            hint = f"Numbers go from 0 to {count - 1}." if count else "The files have no rows."
            raise DataError("has no such row", where=self.name, got=str(wrong[0]), hint=hint)
        return np.where(numbers < 0, numbers + count, numbers)

    def _by_number(self, numbers: Array) -> Array:
        made = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        files = np.searchsorted(self._ends, numbers, side="right")
        for file in np.unique(files):
            here = np.flatnonzero(files == file)
            made[here] = self._read(int(file), numbers[here] - self._first(int(file)))
        return made

    def _between(self, start: int, stop: int) -> Array:
        """Return rows that follow each other."""
        made = np.empty((max(stop - start, 0), *self.shape[1:]), self.dtype)
        while start < stop:
            file = int(np.searchsorted(self._ends, start, side="right"))
            first, end = self._first(file), min(stop, int(self._ends[file]))
            rows = self._read(file, np.arange(start - first, end - first))
            made[len(made) - (stop - start) :][: len(rows)] = rows
            start = end
        return made

    def _first(self, file: int) -> int:
        """Return the number of the first row of a file."""
        return int(self._ends[file]) - self._places[file].shape[0]

    def _read(self, file: int, numbers: Array) -> Array:
        rows = self._files.rows(file, self._places[file], numbers)
        return as_float32(rows.tobytes(), "bfloat16", rows.shape) if self._half else rows
