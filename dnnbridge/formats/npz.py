"""`read_npz`: the arrays of a NumPy archive, whose sizes are checked before memory is taken."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.sizes import check_unpacked, count_of

FORMAT: Any = np.lib.format  # its functions have no types

HEADERS = {(1, 0): FORMAT.read_array_header_1_0, (2, 0): FORMAT.read_array_header_2_0}
"""The reader of each version of the header."""


def read_npz(path: Path) -> dict[str, Array]:
    """Return the arrays of a `.npz` file by name. Objects are refused, so nothing is unpickled.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, holds objects, or would be far larger than the file.
    """
    try:
        return _arrays(path)
    except (OSError, ValueError):
        raise
    except Exception as error:  # of zipfile, a decompressor or NumPy's parser of headers
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _arrays(path: Path) -> dict[str, Array]:
    with opened_npz(path) as (_, packed):
        listed = packed.infolist()
        size = sum(each.file_size for each in listed)
        check_unpacked(size, path.stat().st_size, "its arrays")
        return {each.filename.removesuffix(".npy"): _member(packed, each) for each in listed}


@contextmanager
def opened_npz(path: Path) -> Iterator[tuple[IO[bytes], zipfile.ZipFile]]:
    """Open a `.npz` file, and the archive that it is.

    Raises:
        zipfile.BadZipFile: it is no archive, or only ends as one.
    """
    with path.open("rb") as file:
        if not (zipfile.is_zipfile(file) and begins_as_archive(file)):
            raise zipfile.BadZipFile("not a zip file")
        with zipfile.ZipFile(file) as packed:
            yield file, packed


def begins_as_archive(file: IO[bytes]) -> bool:
    """Return whether an archive is one from its beginning; others follow anything else."""
    file.seek(0)
    return file.read(4) in (b"PK\3\4", b"PK\5\6")


def _member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with packed.open(info) as stream:
        read_npy_header(stream, info.filename, info.file_size)
    with packed.open(info) as stream:
        return np.asarray(FORMAT.read_array(stream, allow_pickle=False))


def read_npy_header(
    stream: IO[bytes], name: str, end: int
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether it is in Fortran order, and dtype of an array in the form of `.npy`.

    Args:
        stream: its bytes; afterwards at its first number.
        name: what to call it in messages.
        end: where the numbers end in the stream. NumPy reserves what a header says, so it must say
            just as many bytes.

    Raises:
        ValueError: it does not, or the array holds Python objects.
    """
    version = FORMAT.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"{name} has a header of version {version}")
    shape, by_columns, dtype = HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects; allow_pickle=False refuses them")
    stored = end - stream.tell()
    if count_of(shape) * dtype.itemsize != stored:
        raise ValueError(f"{name} has {stored:,} bytes for shape {shape} in {dtype}")
    return tuple(shape), bool(by_columns), dtype
