"""Read and write checkpoint files: safetensors with a digest that reveals damage."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import save as to_bytes

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import writable_target, write_atomically, wrong_path
from dnnbridge.base.messages import name_some, shorten
from dnnbridge.errors import CheckpointError, DataError

log = logging.getLogger(__name__)

FORMAT = "dnnbridge checkpoint 3"
WITHOUT_CHECKSUMS = "dnnbridge checkpoint 2"
"""An earlier format, without a checksum of each array and without logs."""

WITHOUT_DIGEST = "dnnbridge checkpoint 1"
"""The first format. It is read with a warning, as damage cannot be detected."""

DIGEST = "sha256"
"""Key of the digest in the metadata."""

CHECKSUMS = "checksums"
"""Key of the JSON object with the SHA-256 of each array, by name."""

DTYPES = ("float32", "float64")
"""The dtypes that backends compute in."""

OTHER_FORMATS = {
    **dict.fromkeys((".h5", ".hdf5", ".keras", ".tf"), "Keras"),
    **dict.fromkeys((".ckpt", ".index", ".meta"), "MindSpore and TensorFlow"),
    **dict.fromkeys((".pb", ".tflite"), "TensorFlow"),
    **dict.fromkeys((".mindir", ".air", ".ms"), "MindSpore"),
    **dict.fromkeys((".pt", ".pth", ".bin"), "PyTorch"),
    **dict.fromkeys((".npz", ".npy"), "NumPy"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "pickle"),
    **{suffix: suffix[1:].upper() for suffix in (".onnx", ".json", ".yaml", ".zip", ".txt")},
}
"""Suffixes of other file formats, and the software or format they belong to."""


def write(
    path: Path, metadata: Mapping[str, str], arrays: Mapping[str, Array], make_folders: bool
) -> None:
    """Write a checkpoint atomically: after a crash the old file is intact."""
    sums = {name: checksum(array) for name, array in arrays.items()}
    described = {"format": FORMAT, **metadata, CHECKSUMS: json.dumps(sums)}
    described[DIGEST] = digest(described, arrays)
    write_atomically(path, to_bytes(dict(arrays), described), make_folders=make_folders)


def read(path: Path) -> tuple[dict[str, str], dict[str, Array]]:
    """Return the metadata and the arrays of an undamaged checkpoint."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(
            "cannot be read as safetensors", where=str(path), got=str(error), hint=_hint(path)
        ) from None
    _check_format(metadata, arrays, path)
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise CheckpointError(
                f"arrays must be {' or '.join(DTYPES)}",
                where=f"{path}: {name}",
                got=str(array.dtype),
            )
    return metadata, arrays


LONGEST_NAME = 255
"""Largest length of a file name in bytes, on common systems."""


def checksum(array: Array) -> str:
    """Return the SHA-256 of an array's values in C order, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(_little(array)).data).hexdigest()


def digest(metadata: Mapping[str, str], arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 of a checkpoint's metadata and its arrays' names, dtypes and values.

    The digest does not depend on the order of arrays or the layout of the file, so another program
    may rewrite the same content.
    """
    entries = sorted((key, text) for key, text in metadata.items() if key != DIGEST)
    little = {name: _little(array) for name, array in arrays.items()}
    types = [[name, little[name].dtype.str, little[name].shape] for name in sorted(little)]
    found = hashlib.sha256(json.dumps([entries, types]).encode())
    for name in sorted(little):
        found.update(np.ascontiguousarray(little[name]).data)
    return found.hexdigest()


def _little(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def damaged(metadata: Mapping[str, str], arrays: Mapping[str, Array]) -> list[str]:
    """Return the arrays whose values are not those of their checksums; [] if there are none."""
    try:
        sums = json.loads(metadata.get(CHECKSUMS, "{}"))
    except ValueError:
        return []
    if not isinstance(sums, dict):
        return []
    return [name for name in sums if name not in arrays or checksum(arrays[name]) != sums[name]]


def check_name(path: str | Path) -> None:
    """Raise if this is not a path, or if its suffix belongs to another file format."""
    if wrong := wrong_path(path):
        what, hint = wrong
        raise CheckpointError(what, where="path", got=shorten(path), hint=hint)
    path = Path(path)
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise CheckpointError(
            "the file name is too long",
            where="path",
            got=shorten(path),
            hint=f"Use at most {LONGEST_NAME} bytes.",
        )
    owner = OTHER_FORMATS.get(path.suffix.lower())
    if owner is not None:
        raise CheckpointError(
            f"has the suffix of another format ({owner}); a checkpoint is a safetensors file",
            where=str(path),
            hint=f"Write {path.with_suffix('.safetensors').name!r}.{_elsewhere(owner)}",
        )


def _elsewhere(owner: str) -> str:
    """Say what writes and reads the format of another framework."""
    if owner != "Keras":
        return ""
    return " Keras' files are written by run.export('model.keras') and read by db.from_keras."


def check_target(path: str | Path, make_folders: bool = False) -> None:
    """Raise before training if a checkpoint cannot be written to a path."""
    check_name(path)
    try:
        writable_target(Path(path), make_folders=make_folders)
    except DataError as error:
        there = Path(path).parent.exists()
        hint = error.hint if there else "Create the folder first, or give make_folders=True."
        raise CheckpointError(error.what, where=error.where, got=error.got, hint=hint) from None


def beside(path: Path) -> Path:
    """Return the path for a non-finite checkpoint, which must not overwrite the good one.

    Example:
        >>> beside(Path("run.safetensors")).name
        'run.nonfinite.safetensors'
    """
    if path.stem.endswith(".nonfinite"):
        return path
    return path.with_name(f"{path.stem}.nonfinite{path.suffix}")


def _check_format(metadata: Mapping[str, str], arrays: Mapping[str, Array], path: Path) -> None:
    given = metadata.get("format")
    if given == WITHOUT_DIGEST and DIGEST not in metadata:
        log.warning(
            "%s comes from a version that wrote no digest: damage is not detected. Save it again",
            path,
        )
        return
    if given not in (FORMAT, WITHOUT_CHECKSUMS):
        raise CheckpointError(
            f"not a checkpoint ({FORMAT!r})",
            where=str(path),
            got=f"format {given!r}",
            hint="Give a file that run.save() of this or an earlier version wrote.",
        )
    if metadata.get(DIGEST) != digest(metadata, arrays):
        names = damaged(metadata, arrays)
        raise CheckpointError(
            "the file is damaged: its content does not match its digest",
            where=str(path),
            got=f"other values in {name_some(names)}" if names else "",
            hint="Use a copy of the file, or an older checkpoint.",
        )


def _hint(path: Path) -> str:
    if not path.exists() and beside(path).exists():
        return f"The file is missing, but {beside(path).name} exists; it holds NaN or infinity."
    return "Give a file that run.save() wrote."
