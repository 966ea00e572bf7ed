"""`mapped_rows`: read rows of an `np.memmap` from its file.

What was read of a mapped file stays in the resident memory of the process until the system needs
it, up to 2 MB for each row. That looks as if the whole file were loaded, and counts against the
limit of some containers. Reads from the file leave nothing behind. They see what was written to a
shared map, as Linux has one cache for both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.file_rows import read_rows
from dnnbridge.base.raw_file import RawFile

MAPS = Path("/proc/self/maps")
"""Where Linux lists what a process maps."""


class Origin(NamedTuple):
    """Where the first byte of an array lies in a file.

    Attributes:
        path: the file.
        inode: its number in the file system; a file of the same name may be another one.
        start: the number of the byte.
    """

    path: Path
    inode: int
    start: int


def mapped_rows(array: np.memmap[Any, Any]) -> Callable[[Array], Array]:
    """Return what reads rows of a mapped array by their numbers.

    It reads the map itself where that may differ from the file (mode "c"), where rows do not lie
    together, and on systems other than Linux.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     array = np.memmap(f"{folder}/x", np.int32, "w+", shape=(3, 2))
        ...     array[:] = [[0, 1], [2, 3], [4, 5]]
        ...     mapped_rows(array[1:])(np.array([1, 0])).tolist()
        [[4, 5], [2, 3]]
    """
    origin = _origin(array) if array.flags.c_contiguous and array.size else None
    file = None if origin is None else _opened(origin)
    if origin is None or file is None:
        return np.asarray(array).__getitem__
    return _Reader(file, array, origin.start)


def _origin(array: np.memmap[Any, Any]) -> Origin | None:
    """Return where an array lies in its file, or None if that is not known."""
    first = array.ctypes.data
    try:
        lines = MAPS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        span, rights, offset, _, inode, *path = line.split(maxsplit=5)
        start, stop = (int(each, 16) for each in span.split("-"))
        if start <= first < stop:
            if not (rights.endswith("s") and path and first + array.nbytes <= stop):
                return None
            return Origin(Path(path[0]), int(inode), int(offset, 16) + first - start)
    return None


def _opened(origin: Origin) -> RawFile | None:
    """Open the file of a map, unless another file has its name by now."""
    try:
        file = RawFile(origin.path)
    except OSError:
        return None
    return file if file.stat().st_ino == origin.inode else None


class _Reader:
    """Reads rows of an array from an open file."""

    def __init__(self, file: RawFile, array: np.memmap[Any, Any], start: int) -> None:
        self.file, self.array, self.start = file, array, start

    def __call__(self, numbers: Array) -> Array:
        made = read_rows(self._fill, self.array[:1].nbytes, numbers)
        rows: Array = made.reshape(-1).view(self.array.dtype)
        return rows.reshape(len(numbers), *self.array.shape[1:])

    def _fill(self, place: int, memory: memoryview) -> None:
        self.file.fill(self.start + place, memory)
