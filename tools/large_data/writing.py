"""Write data of a given size in each form, one block at a time."""

from __future__ import annotations

import itertools
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

import dnnbridge as db

FEATURES = 1024
"""Numbers of an example: 4 KiB."""

BLOCK = 4096
"""Rows that are written at a time: 16 MiB."""

SHARDS = 8

FORMS = ("memmap", "npz", "safetensors")


def write(form: str, folder: Path, rows: int) -> None:
    """Write examples x and labels y into a folder.

    Args:
        form: one of `FORMS`: two `.npy` files, or eight shards with both arrays.
        folder: an empty folder.
        rows: the number of examples.
    """
    if form == "memmap":
        for name in ("x", "y"):
            with (folder / f"{name}.npy").open("wb") as file:
                _npy(file, name, 0, rows)
        return
    ends = [rows * k // SHARDS for k in range(SHARDS + 1)]
    for k, (start, stop) in enumerate(itertools.pairwise(ends)):
        path = folder / f"train-{k:03}.{form}"
        (_npz if form == "npz" else _safetensors)(path, start, stop)


def read(form: str, folder: Path) -> tuple[Any, Any]:
    """Return what `fit` takes."""
    if form == "memmap":
        x, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("x", "y"))
        return x, y
    shards = db.Shards(folder)
    return shards["x"], shards["y"]


def blocks(name: str, start: int, stop: int) -> Iterator[bytes]:
    """Yield the rows of an array from one number to another as bytes."""
    noise = np.random.default_rng(0).normal(size=(BLOCK, FEATURES)).astype("<f4")
    for first in range(start, stop, BLOCK):
        x = noise[: stop - first]
        yield (x if name == "x" else x[:, :1] - x[:, 1:2]).tobytes()


def _shape(name: str, rows: int) -> tuple[int, int]:
    return rows, FEATURES if name == "x" else 1


def _npy(file: IO[bytes], name: str, start: int, stop: int) -> None:
    shape = _shape(name, stop - start)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    file.writelines(blocks(name, start, stop))


def _npz(path: Path, start: int, stop: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for name in ("x", "y"):
            with packed.open(f"{name}.npy", "w", force_zip64=True) as file:
                _npy(file, name, start, stop)


def _safetensors(path: Path, start: int, stop: int) -> None:
    header, place = {}, 0
    for name in ("x", "y"):
        shape = _shape(name, stop - start)
        size = 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in header:
            file.writelines(blocks(name, start, stop))
