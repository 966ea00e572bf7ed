"""`opened_hdf5`: HDF5 files as data, checked as a whole before an array is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dnnbridge.errors import ConversionError
from dnnbridge.formats.sizes import check_unpacked, count_of


@contextmanager
def opened_hdf5(source: Path | IO[bytes], where: str) -> Iterator[Any]:
    """Open an HDF5 file whose data lie in the file itself.

    Args:
        source: the file.
        where: its name in messages.

    Raises:
        ConversionError: it points to other files, or states arrays far larger than the file.
    """
    import h5py

    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, os.SEEK_END)
    with h5py.File(source, "r") as file:
        if wrong := _wrong(file, size):
            raise ConversionError(
                "the file cannot be read: it is damaged, or points to other files",
                where=where,
                got=wrong,
                hint="Write it again with model.save or model.save_weights of Keras 3.",
            )
        yield file


def _wrong(file: Any, size: int) -> str:
    """Say which array is not in the file, or too large for it; no link is followed for that."""
    import h5py

    def link_outside(name: str, link: Any) -> str | None:
        if isinstance(link, h5py.ExternalLink):
            return f"{name}, a link to the file {link.filename}"
        return None

    def wrong_array(name: str, item: Any) -> str | None:
        if not isinstance(item, h5py.Dataset):
            return None
        if item.external or item.is_virtual:
            return f"{name}, which is stored in other files"
        try:
            check_unpacked(count_of(item.shape or ()) * item.dtype.itemsize, size, name)
        except ValueError as error:
            return str(error)
        return None

    return file.visititems_links(link_outside) or file.visititems(wrong_array) or ""
