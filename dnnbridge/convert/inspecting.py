"""`inspect`: read what a file of weights or of a run holds, without a framework."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import safetensors

from dnnbridge.base.calling import explained
from dnnbridge.base.files import check_is_file
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.inspected import Inspected, InspectedArray
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import CheckpointError, DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.formats.weight_files import read_weights
from dnnbridge.models.tracing import trace
from dnnbridge.training import checkpoint_file


@explained()
def inspect(path: str | Path) -> Inspected:
    """Return what a file holds, without a framework: spec, arrays, step, logs and sizes.

    A checkpoint of dnnbridge is checked for damage.

    Args:
        path: a checkpoint of dnnbridge, another safetensors file, a `.keras` or `.h5` file of
            Keras, a `.ckpt` file of MindSpore, an `.npz` file, or the JSON of an experiment.

    Raises:
        CheckpointError: the file is missing, damaged, or none of these.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> found = inspect(run.save(pathlib.Path(tempfile.mkdtemp()) / "run.safetensors"))
        >>> [(array.name, array.shape) for array in found.arrays]
        [('dense/bias', (1,)), ('dense/kernel', (2, 1))]
    """
    path = Path(path)
    check_is_file(path, CheckpointError)
    for is_such, read in READERS:
        if is_such(path):
            return read(path)
    raise CheckpointError(
        "is no file that can be read",
        where=str(path),
        hint="Give a checkpoint, or a safetensors, .keras, .h5, .ckpt, .npz or .json file.",
    )


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _of_safetensors(path: Path) -> Inspected:
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            parts = {name: file.get_slice(name) for name in sorted(file.keys())}
            arrays = [
                InspectedArray(name, "array", tuple(part.get_shape()), DTYPES[part.get_dtype()])
                for name, part in parts.items()
            ]
    except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            "cannot be read as safetensors", where=str(path), got=str(error)
        ) from None
    if str(metadata.get("format")).startswith("dnnbridge checkpoint"):
        return _of_checkpoint(path)
    return Inspected(path, "safetensors", tuple(arrays), facts=metadata)


DTYPES = {
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "uint16", "BOOL": "bool"},
    **{
        f"{kind}{bits}": f"{name}{bits}"
        for kind, name in (("I", "int"), ("U", "uint"))
        for bits in (8, 16, 32, 64)
    },
}
"""NumPy's name of each dtype of safetensors; bfloat16 has its size."""


def _of_checkpoint(path: Path) -> Inspected:
    metadata, arrays = checkpoint_file.read(path)
    notes: list[str] = []
    experiment, roles = None, {}
    try:
        experiment = Experiment.from_json(metadata["experiment"])
        roles = _roles(experiment.program().layer_arrays)
    except (KeyError, DnnbridgeError) as error:
        notes.append(f"The spec cannot be read: {error}")
    progress = json.loads(metadata.get("progress", "{}"))
    facts = {"written by": metadata.get("backend", "an earlier version")}
    facts |= {name: str(progress[name]) for name in ("step", "epoch") if name in progress}
    facts["checked"] = _checked(metadata)
    listed = [
        InspectedArray(name, _role(name, roles), array.shape, array.dtype.name)
        for name, array in sorted(arrays.items())
    ]
    logs = json.loads(metadata.get("logs", "[]"))
    return Inspected(
        path, metadata["format"], tuple(listed), experiment, facts, tuple(logs), tuple(notes)
    )


def _checked(metadata: Mapping[str, str]) -> str:
    if checkpoint_file.CHECKSUMS in metadata:
        return "the digest, and a checksum of each array"
    return "the digest" if checkpoint_file.DIGEST in metadata else "nothing: the file has no digest"


def _roles(declared: Iterable[StateArray]) -> dict[str, str]:
    return {each.name: "weight" if each.trainable else "buffer" for each in declared}


def _role(name: str, roles: Mapping[str, str]) -> str:
    return roles.get(name, "slot" if roles else "array")


def _is_keras(path: Path) -> bool:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _of_keras(path: Path) -> Inspected:
    found = from_keras(path)
    roles = _roles(trace(found.model)[1].arrays.values())
    listed = [
        InspectedArray(name, _role(name, roles), array.shape, array.dtype.name)
        for name, array in {**found.weights, **found.slots}.items()
    ]
    missing = [name for name in ("loss", "optimizer") if name not in found.fields]
    experiment = None if missing else found.experiment
    facts = {"step": str(found.step)} if found.slots else {}
    return Inspected(
        path, "Keras model", tuple(listed), experiment, facts, notes=found.report.notes
    )


def _is_npz(path: Path) -> bool:
    return zipfile.is_zipfile(path)


def _of_npz(path: Path) -> Inspected:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError("cannot be read as .npz", where=str(path), got=str(error)) from None
    listed = [InspectedArray(n, "array", a.shape, a.dtype.name) for n, a in arrays.items()]
    return Inspected(path, "NumPy archive", tuple(listed))


def _is_ckpt(path: Path) -> bool:
    return path.suffix == ".ckpt"


def _of_ckpt(path: Path) -> Inspected:
    arrays = read_weights(path).items()
    listed = [InspectedArray(name, "array", a.shape, a.dtype.name) for name, a in arrays]
    return Inspected(path, "MindSpore checkpoint", tuple(listed))


def _is_json(path: Path) -> bool:
    return path.suffix == ".json"


def _of_json(path: Path) -> Inspected:
    return Inspected(path, "experiment", experiment=Experiment.from_json(path.read_text("utf-8")))


READERS: list[tuple[Callable[[Path], bool], Callable[[Path], Inspected]]] = [
    (_is_json, _of_json),
    (_is_ckpt, _of_ckpt),
    (_is_safetensors, _of_safetensors),
    (_is_keras, _of_keras),
    (_is_npz, _of_npz),
]
"""How each kind of file is recognised, and read."""
