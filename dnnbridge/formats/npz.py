"""`read_npz`: the arrays of a NumPy archive, whose sizes are checked before memory is taken."""

from __future__ import annotations

import zipfile
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
    with path.open("rb") as file:
        if not (zipfile.is_zipfile(file) and _begins(file)):
            raise zipfile.BadZipFile("not a zip file")
        with zipfile.ZipFile(file) as packed:
            listed = packed.infolist()
            size = sum(each.file_size for each in listed)
            check_unpacked(size, path.stat().st_size, "its arrays")
            return {each.filename.removesuffix(".npy"): _member(packed, each) for each in listed}


def _begins(file: IO[bytes]) -> bool:
    """Return whether an archive is one from its beginning; others follow anything else."""
    file.seek(0)
    return file.read(4) in (b"PK\3\4", b"PK\5\6")


def _member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with packed.open(info) as stream:
        _check_header(stream, info)
    with packed.open(info) as stream:
        return np.asarray(FORMAT.read_array(stream, allow_pickle=False))


def _check_header(stream: IO[bytes], info: zipfile.ZipInfo) -> None:
    """Raise unless the array has as many bytes as its member; NumPy reserves what a header says."""
    version = FORMAT.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"{info.filename} has a header of version {version}")
    shape, _, dtype = HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{info.filename} holds Python objects; allow_pickle=False refuses them")
    stored = info.file_size - stream.tell()
    if count_of(shape) * dtype.itemsize != stored:
        raise ValueError(f"{info.filename} has {stored:,} bytes for shape {shape} in {dtype}")
