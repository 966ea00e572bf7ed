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
        try:
            _check(file, size)
        except ValueError as error:
            raise ConversionError(
                "the file cannot be read: it is damaged, or points to other files",
                where=where,
                got=str(error),
                hint="Write it again with model.save or model.save_weights of Keras 3.",
            ) from None
        yield file


def _check(file: Any, size: int) -> None:
    """Raise a ValueError unless all arrays are in the file; no link is followed for that."""
    import h5py

    def check_link(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            raise ValueError(f"{name} is a link to the file {link.filename}")

    def check_array(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.external or item.is_virtual:
            raise ValueError(f"{name} is stored in other files")
        check_unpacked(count_of(item.shape or ()) * item.dtype.itemsize, size, name)

    file.visititems_links(check_link)
    file.visititems(check_array)
