"""Members of ZIP archives as files that can be read anywhere at the same speed."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dnnbridge.errors import ConversionError
from dnnbridge.formats.sizes import check_unpacked

LOCAL_HEADER = 30
"""Bytes of the header before a member, without its name and its extra field."""

MEMBER = b"PK\3\4"
"""The first bytes of this header."""

CHUNK = 2**20

TEXT = 64 * 2**20
"""Longest text that is read, in bytes."""


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a member that is a text.

    Raises:
        ConversionError: it is longer than such a text may be.
    """
    size = archive.getinfo(name).file_size
    if size > TEXT:
        raise ConversionError(
            f"{name} is too long",
            where=str(archive.filename),
            got=f"{size:,} bytes",
            hint=f"At most {TEXT:,} are read.",
        )
    return archive.read(name)


@contextmanager
def opened_member(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a member of an archive for reading.

    `zipfile` reads a member again from its start whenever a reader goes back, as HDF5 often does.
    Keras does not compress, so here the member is a window on the archive. A compressed member is
    unpacked to a temporary file.

    Raises:
        ConversionError: the member does not have the checksum that the archive notes, or would be
            far larger than the archive.
    """
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            with _unpacked(archive, info, path) as stream:
                yield stream
            return
    with path.open("rb", buffering=0) as file:
        window = io.BufferedReader(_Window(file, member_start(file, info), info.file_size))
        if _checksum(window) != info.CRC:
            raise ConversionError(
                f"{name} is damaged: its checksum is another one",
                where=str(path),
                hint="Copy the file again, or write it again with model.save('model.keras').",
            )
        yield window


@contextmanager
def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Iterator[IO[bytes]]:
    try:
        check_unpacked(info.file_size, path.stat().st_size, info.filename)
    except ValueError as error:
        raise ConversionError(
            "the archive would be far larger than its file",
            where=str(path),
            got=str(error),
            hint="Write it again with model.save('model.keras').",
        ) from None
    with archive.open(info) as stream, tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        yield file


def member_start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Return where the bytes of a member begin; its name and extra field have their own lengths.

    Raises:
        ValueError: there is no member at this place of the file.
    """
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    if len(header) < LOCAL_HEADER or not header.startswith(MEMBER):
        raise ValueError(f"no member at byte {info.header_offset:,} for {info.filename}")
    name, extra = (int.from_bytes(header[i : i + 2], "little") for i in (26, 28))
    return info.header_offset + LOCAL_HEADER + name + extra


def _checksum(file: IO[bytes]) -> int:
    found = 0
    while chunk := file.read(CHUNK):
        found = zlib.crc32(chunk, found)
    file.seek(0)
    return found


class _Window(io.RawIOBase):
    """Some bytes in the middle of a file."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._place)
        view = memoryview(buffer).cast("B")
        found = self._file.read(min(len(view), max(0, self._size - self._place)))
        view[: len(found)] = found
        self._place += len(found)
        return len(found)
