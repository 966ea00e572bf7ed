"""`opened_hdf5`: HDF5 files as data, checked as a whole before an array is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from dnnbridge.errors import ConversionError
from dnnbridge.formats.hdf5_arrays import unusual_storage
from dnnbridge.formats.hdf5_structure import unusual_structure
from dnnbridge.formats.sizes import check_unpacked, count_of

LEVELS = 64
"""Deepest nesting of groups. A layer in a model takes three."""


@contextmanager
def opened_hdf5(source: Path | IO[bytes], where: str) -> Iterator[Any]:
    """Open an HDF5 file whose data lie in the file itself.

    Args:
        source: the file.
        where: its name in messages.

    Raises:
        ConversionError: it points to other files, has arrays that are far larger than the file, or
            has some that are stored as no framework stores them.
    """
    import h5py

    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as stream:
        _refuse(unusual_structure(stream), where)
        size = stream.seek(0, os.SEEK_END)
    with h5py.File(source, "r") as file:
        _refuse(_wrong(file, size), where)
        yield file


def _refuse(wrong: str, where: str) -> None:
    if wrong:
        raise ConversionError(
            "the file cannot be read: it is damaged, or no framework wrote it",
            where=where,
            got=wrong,
            hint="Write it again with model.save or model.save_weights of Keras 3.",
        )


def _wrong(file: Any, size: int) -> str:
    """Say which array is not as it should be; "" if all are."""
    import h5py

    known: set[int] = set()
    groups = [(file["/"], "", 0)]
    while groups:
        group, place, depth = groups.pop()
        if depth > LEVELS:
            return f"groups in each other, at more than {LEVELS} levels"
        for name in group:
            path, link = f"{place}/{name}", group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                return f"{path}, a link to the file {link.filename}"
            if not isinstance(link, h5py.HardLink):
                continue
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in known:
                continue
            known.add(address)
            if isinstance(item, h5py.Group):
                groups.append((item, path, depth + 1))
            elif isinstance(item, h5py.Dataset) and (wrong := _wrong_array(item, path, size)):
                return wrong
    return ""


def _wrong_array(item: Any, path: str, size: int) -> str:
    if item.external or item.is_virtual:
        return f"{path}, which is stored in other files"
    try:
        if unusual := unusual_storage(item):
            return f"{path}, which has {unusual}"
        check_unpacked(count_of(item.shape or ()) * item.dtype.itemsize, size, path)
    except ValueError as error:
        return str(error)
    return ""
