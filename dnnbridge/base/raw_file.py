"""`RawFile`: read bytes at any place of a file, straight into memory."""

from __future__ import annotations

import os
from pathlib import Path


class RawFile:
    """A file that is open for reading until nothing uses it.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be opened.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> made = bytearray(3)
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a"
        ...     _ = path.write_bytes(b"abcdefgh")
        ...     RawFile(path).fill(2, memoryview(made))
        >>> bytes(made)
        b'cde'
    """

    def __init__(self, path: Path) -> None:
        self._number: int | None = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def fill(self, place: int, memory: memoryview) -> None:
        """Fill memory with the bytes from a place on.

        Raises:
            EOFError: the file ends before; its argument is where.
            OSError: it cannot be read.
        """
        assert self._number is not None
        while memory:
            count = _read(self._number, place, memory)
            if not count:
                raise EOFError(place)
            memory, place = memory[count:], place + count

    def stat(self) -> os.stat_result:
        """Return what the system knows of the file."""
        assert self._number is not None
        return os.fstat(self._number)

    def close(self) -> None:
        """Close it."""
        number, self._number = self._number, None
        if number is not None:
            os.close(number)

    def __del__(self) -> None:
        if "_number" in self.__dict__:
            self.close()


def _read(number: int, place: int, memory: memoryview) -> int:
    """Read into memory and return how many bytes there were."""
    if hasattr(os, "preadv"):
        return os.preadv(number, [memory], place)
    os.lseek(number, place, os.SEEK_SET)  # Windows
    found = os.read(number, len(memory))
    memory[: len(found)] = found
    return len(found)
