"""`Files`: read rows of arrays in files by their numbers, with few files open at a time."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnnbridge.base.arrays import Array
from dnnbridge.base.file_rows import read_rows
from dnnbridge.base.raw_file import RawFile
from dnnbridge.errors import DataError
from dnnbridge.formats.shards.places import Place, stored_dtype

OPEN = 64
"""Most files that are open at a time; systems limit them."""


class Files:
    """Reads rows of arrays in files.

    Files are read, not mapped: what was read of a mapped file stays in the resident memory of the
    process, up to 2 MB for each row. A file that becomes shorter ends a process that maps it.

    Args:
        paths: the files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self._written = [_written(path.stat()) for path in paths]
        self._open: OrderedDict[int, RawFile] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, number: int, place: Place, wanted: Array) -> Array:
        """Return some rows of an array of a file, as they are stored.

        Args:
            number: the number of the file.
            place: where the array lies in it.
            wanted: from 0 to one less than the rows of the array.

        Raises:
            DataError: the file is another one than before, or is gone.
        """
        dtype, sizes = stored_dtype(place), place.shape[1:]

        def fill(start: int, memory: memoryview) -> None:
            self._fill(number, place.start + start, memory)

        with self._lock:
            made = read_rows(fill, math.prod(sizes) * dtype.itemsize, wanted)
        return made.reshape(-1).view(dtype).reshape(len(wanted), *sizes)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; open files stay here."""
        return {"paths": self.paths, "_written": self._written}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _open=OrderedDict(), _lock=threading.Lock())

    def _fill(self, number: int, place: int, memory: memoryview) -> None:
        """Fill memory with the bytes from a place of a file on."""
        path = self.paths[number]
        try:
            self._file(number).fill(place, memory)
        except EOFError as error:
            raise _changed(path, f"{error.args[0]:,} bytes") from None
        except OSError as error:
            said = error.strerror or str(error)
            raise DataError("cannot be read any more", where=str(path), got=said) from error

    def _file(self, number: int) -> RawFile:
        if (known := self._open.get(number)) is not None:
            self._open.move_to_end(number)
            return known
        if len(self._open) >= OPEN:
            self._open.popitem(last=False)[1].close()
        path = self.paths[number]
        made = RawFile(path)
        found = _written(made.stat())
        if found != self._written[number]:
            raise _changed(path, f"{found[0]:,} bytes, written later")
        self._open[number] = made
        return made


def _written(found: os.stat_result) -> tuple[int, int]:
    """Return the size of a file and when it was written."""
    return found.st_size, found.st_mtime_ns


def _changed(path: Path, found: str) -> DataError:
    return DataError(
        "has changed since db.Shards read its header",
        where=str(path),
        got=found,
        hint="Leave the files alone while a training reads them, and call db.Shards again.",
    )
