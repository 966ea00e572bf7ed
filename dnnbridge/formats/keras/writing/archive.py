"""A `.keras` file: configuration and arrays, as Keras writes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import write_atomically
from dnnbridge.base.packages import require

KERAS_VERSION = "3.15.1"
"""The version whose form the file has."""


def write_archive(
    path: str | Path, config: Mapping[str, Any], objects: Mapping[str, Sequence[Array]]
) -> Path:
    """Write a `.keras` file.

    Args:
        path: the file.
        config: the serialised model, with its compile settings.
        objects: the arrays of each layer and of the optimizer, by the path of the object.
    """
    weights = weights_file(objects)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        metadata = {"keras_version": KERAS_VERSION, "date_saved": ""}
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    target = Path(path)
    write_atomically(target, whole.getvalue())
    return target


def weights_file(objects: Mapping[str, Sequence[Array]]) -> bytes:
    """Return the content of a `.weights.h5` file: the arrays by the path of the object."""
    require("convert", "writing Keras files")
    import h5py

    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
        for name, arrays in objects.items():
            group = file.create_group(f"{name}/vars")
            for index, array in enumerate(arrays):
                group.create_dataset(str(index), data=np.asarray(array))
    return weights.getvalue()
