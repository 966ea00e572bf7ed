"""A `.keras` file: configuration and arrays, as Keras writes them."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import atomic_file
from dnnbridge.base.packages import require

KERAS_VERSION = "3.15.1"
"""The version whose form the file has."""

LARGE = 2**31
"""Size in bytes from which an entry of the archive needs the longer form of its header."""


def write_archive(
    path: str | Path, config: Mapping[str, Any], objects: Mapping[str, Sequence[Array]]
) -> Path:
    """Write a `.keras` file.

    Args:
        path: the file.
        config: the serialised model, with its compile settings.
        objects: the arrays of each layer and of the optimizer, by the path of the object.
    """
    target = Path(path)
    with (
        weights_file(objects) as (weights, size),
        atomic_file(target) as whole,
        zipfile.ZipFile(whole, "w") as archive,
    ):
        metadata = {"keras_version": KERAS_VERSION, "date_saved": ""}
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(config))
        with archive.open("model.weights.h5", "w", force_zip64=size >= LARGE) as part:
            shutil.copyfileobj(weights, part)
    return target


@contextmanager
def weights_file(objects: Mapping[str, Sequence[Array]]) -> Iterator[tuple[IO[bytes], int]]:
    """Write a `.weights.h5` file to a temporary place; yield it from its start, and its size.

    It holds the arrays by the path of the object, real numbers in float32.
    """
    require("convert", "writing Keras files")
    import h5py

    with tempfile.TemporaryFile() as weights:
        with h5py.File(weights, "w") as file:
            file.create_group("layers")
            for name, arrays in objects.items():
                group = file.create_group(f"{name}/vars")
                for index, array in enumerate(arrays):
                    group.create_dataset(str(index), data=_narrow(array))
        size = weights.seek(0, io.SEEK_END)
        weights.seek(0)
        yield weights, size


def _narrow(array: Array) -> Array:
    """Return an array of real numbers in float32; the reference computes in float64."""
    found = np.asarray(array)
    return found.astype(np.float32) if found.dtype == np.float64 else found
