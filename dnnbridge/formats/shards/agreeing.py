"""Find the files of `Shards`, and check that all of them have the same arrays."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from dnnbridge.base.files import as_path, check_is_file
from dnnbridge.base.messages import name_some
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.formats.shards.places import READERS, Place, read_places
from dnnbridge.formats.shards.reading import Files
from dnnbridge.formats.shards.rows import ShardRows

Paths: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A folder, a pattern such as "train-*.npz", a file, or a list of files."""

UNNAMED = '.npy has one array without a name: write db.Shards({"x": "x-*.npy", "y": "y-*.npy"}).'


def files_of(given: Any, name: str) -> list[Path]:
    """Return the files that an argument of `Shards` names.

    Args:
        given: a folder, a pattern, a file or a list of files.
        name: the name of the array, for files whose array has none; else "".

    Raises:
        DataError: there are none, one does not exist, or is of another form.
    """
    where = f"Shards: {name or 'paths'}"
    forms = [form for form in READERS if (form == ".npy") == bool(name)]
    if isinstance(given, list | tuple):
        found = [as_path(each, where) for each in given]
    else:
        found = _found(as_path(given, where), forms)
    found = [path.absolute() for path in found]  # the current folder may change
    if not found:
        raise DataError(
            "has no files",
            where=where,
            got=str(given),
            hint=f"Give a folder, a pattern or a list of {' or '.join(forms)} files.",
        )
    for path in found:
        check_is_file(path, DataError)
        if path.suffix.lower() not in forms:
            raise DataError(
                f"must be {' or '.join(forms)}",
                where=str(path),
                got=path.suffix or "no ending",
                hint="Only an .npy file has an array without a name." if name else UNNAMED,
            )
    return found


def _found(path: Path, forms: Sequence[str]) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix.lower() in forms)
    if any(letter in str(path) for letter in "*?[") and not path.exists():
        return sorted(Path(each) for each in glob.glob(str(path), recursive=True))
    return [path]


def arrays_of(files: Sequence[Path], name: str) -> dict[str, ShardRows]:
    """Return the arrays of files by name.

    Raises:
        DataError, DTypeError: a file is damaged, or is unlike the first.
    """
    listed = [read_places(path) for path in files]
    for path, places in zip(files, listed, strict=True):
        _check_rows(path, places)
        _check_like(path, places, files[0], listed[0])
    read = Files(files)
    return {
        own or name: ShardRows(own or name, read, [places[own] for places in listed])
        for own in listed[0]
    }


def _check_rows(path: Path, places: Mapping[str, Place]) -> None:
    """Raise unless all arrays of a file have equally many rows."""
    if not places:
        raise DataError("has no arrays", where=str(path), hint="Leave it out of the shards.")
    if len({place.shape[0] for place in places.values()}) > 1:
        raise DataError(
            "all arrays need the same number of rows",
            where=str(path),
            got=", ".join(f"{place.shape[0]} of {name}" for name, place in places.items()),
            hint="Write other arrays to another file.",
        )


def _check_like(
    path: Path, places: Mapping[str, Place], first: Path, wanted: Mapping[str, Place]
) -> None:
    """Raise unless a file has the names, dtypes and sizes of a row of the first file."""
    if places.keys() != wanted.keys():
        raise DataError(
            f"must have the arrays of {first.name}: {name_some(sorted(wanted), 8)}",
            where=str(path),
            got=name_some(sorted(places), 8),
            hint="All shards need arrays of the same names.",
        )
    for name, place in places.items():
        where, other = f"{path}: {name}" if name else str(path), wanted[name]
        if place.dtype != other.dtype:
            raise DTypeError(
                f"must have dtype {other.dtype}, as in {first.name}",
                where=where,
                got=place.dtype,
                hint="Write all shards with one dtype.",
            )
        if place.shape[1:] != other.shape[1:]:
            raise DataError(
                f"must have rows of shape {other.shape[1:]}, as in {first.name}",
                where=where,
                got=f"rows of shape {place.shape[1:]}",
                hint="Write all shards with rows of one shape.",
            )


def check_together(arrays: Mapping[str, ShardRows], files: Mapping[str, Sequence[Path]]) -> None:
    """Raise unless the k-th files of all arrays have equally many rows.

    Raises:
        DataError: they have not, or one array has fewer files.
    """
    if len({len(each) for each in files.values()}) > 1:
        raise DataError(
            "all arrays need the same number of files",
            where="Shards: paths",
            got=", ".join(f"{len(each)} of {name}" for name, each in files.items()),
            hint="The k-th files of all arrays belong together.",
        )
    for k, paths in enumerate(zip(*files.values(), strict=True)):
        counts = [rows.counts[k] for rows in arrays.values()]
        if len(set(counts)) > 1:
            raise DataError(
                "files that belong together need the same number of rows",
                where=" and ".join(map(str, paths)),
                got=" and ".join(map(str, counts)),
                hint="Files are in the order of their names, or in that of the list.",
            )
