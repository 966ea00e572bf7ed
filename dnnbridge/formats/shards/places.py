"""`read_places`: where the arrays of a file lie in it; only headers are read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from dnnbridge.errors import ConversionError, DataError, DnnbridgeError
from dnnbridge.formats.archives import member_start
from dnnbridge.formats.damage import read_as_data
from dnnbridge.formats.npz import opened_npz, read_npy_header
from dnnbridge.formats.weight_files import safetensors_header

KINDS = "fiubSU"
"""Kinds of NumPy's dtypes that examples may have: numbers, truths and texts."""


class Place(NamedTuple):
    """Where an array lies in a file.

    Attributes:
        dtype: NumPy's dtype of the stored numbers, or "bfloat16", which NumPy lacks.
        shape: its sizes; the first is the number of rows.
        start: number of its first byte in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int


def read_places(path: Path) -> dict[str, Place]:
    """Return where each array of an `.npz`, `.npy` or `.safetensors` file lies.

    The array of an `.npy` file has no name; here it is "".

    Raises:
        DataError: the file is damaged, compressed, holds objects, or has an array whose rows do
            not lie together.
    """
    hint = "Copy the file again, or write it again."
    with read_as_data("the file is damaged, or of another form", str(path), hint, DataError):
        try:
            places = READERS[path.suffix.lower()](path)
        except ConversionError as error:
            raise DataError(error.what, where=str(path), got=error.got, hint=error.hint) from None
    for name, place in places.items():
        if not place.shape:
            raise _refused(
                path, name, "has no rows", "a single number", "Leave it out of the shards."
            )
    return places


def _npz(path: Path) -> dict[str, Place]:
    with opened_npz(path) as (file, packed):
        members = packed.infolist()
        return {each.filename.removesuffix(".npy"): _member(path, file, each) for each in members}


def _member(path: Path, file: IO[bytes], info: zipfile.ZipInfo) -> Place:
    name = info.filename.removesuffix(".npy")
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise _refused(
            path,
            name,
            "is compressed or encrypted, so rows cannot be read by number",
            f"{info.compress_size:,} bytes for {info.file_size:,}",
            "Write the shard with numpy.savez, not numpy.savez_compressed.",
        )
    return _array(path, name, file, member_start(file, info), info.file_size)


def _npy(path: Path) -> dict[str, Place]:
    with path.open("rb") as file:
        return {"": _array(path, "", file, 0, path.stat().st_size)}


def _array(path: Path, name: str, file: IO[bytes], start: int, size: int) -> Place:
    """Return the place of an array in the form of `.npy`, which has `size` bytes from `start`."""
    if start + size > path.stat().st_size:
        raise ValueError(f"{size:,} bytes of {name!r} from byte {start:,} are not in the file")
    file.seek(start)
    shape, by_columns, dtype = read_npy_header(file, name or path.name, start + size)
    if dtype.kind not in KINDS:
        hint = "Store numbers, truths or texts, one array for each field."
        raise _refused(path, name, "has rows that are no numbers or texts", f"dtype {dtype}", hint)
    if by_columns and len(shape) > 1:
        hint = "Write numpy.ascontiguousarray(array)."
        raise _refused(path, name, "has rows that do not lie together", "Fortran order", hint)
    return Place(dtype.str, shape, file.tell())


def _safetensors(path: Path) -> dict[str, Place]:
    entries = safetensors_header(path)[1]
    return {name: Place(each.dtype, each.shape, each.start) for name, each in entries.items()}


def _refused(path: Path, name: str, what: str, got: str, hint: str) -> DnnbridgeError:
    where = f"{path}: {name}" if name else str(path)
    return DataError(what, where=where, got=got, hint=hint)


READERS: Mapping[str, Callable[[Path], dict[str, Place]]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".safetensors": _safetensors,
}
"""The reader of each form, by the ending of the file."""


def stored_dtype(place: Place) -> np.dtype[Any]:
    """Return NumPy's dtype of the stored bytes; those of bfloat16 are whole numbers."""
    return np.dtype("<u2" if place.dtype == "bfloat16" else place.dtype)
