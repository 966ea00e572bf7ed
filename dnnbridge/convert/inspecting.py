"""`inspect`: read what a file of weights or of a run holds, without a framework."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, check_is_file
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.convert.inspected import Inspected, InspectedArray
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import (
    CheckpointError,
    ConversionError,
    DnnbridgeError,
    PackageNotInstalledError,
)
from dnnbridge.experiment import Experiment
from dnnbridge.formats.damage import read_as_data
from dnnbridge.formats.onnx.reading.contents import read_contents
from dnnbridge.formats.traces.reading import read_trace
from dnnbridge.formats.traces.records import MAGIC
from dnnbridge.formats.weight_files import read_as, safetensors_header
from dnnbridge.models.tracing import trace
from dnnbridge.training import checkpoint_file


@explained()
def inspect(path: str | Path) -> Inspected:
    """Return what a file holds, without a framework: spec, arrays, step, logs and sizes.

    A checkpoint of dnnbridge is checked for damage.

    Args:
        path: a checkpoint of dnnbridge, another safetensors file, a `.keras` or `.h5` file of
            Keras, an `.onnx` file, a `.ckpt` file of MindSpore, an `.npz` file, a trace, or the
            JSON of an experiment.

    Raises:
        CheckpointError: the file is missing, damaged, or none of these.
        PackageNotInstalledError: h5py is missing for a file of Keras, or onnx for one of ONNX.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> found = inspect(run.save(pathlib.Path(tempfile.mkdtemp()) / "run.safetensors"))
        >>> [(array.name, array.shape) for array in found.arrays]
        [('dense/bias', (1,)), ('dense/kernel', (2, 1))]
    """
    path = as_path(path, "inspect", CheckpointError)
    check_is_file(path, CheckpointError)
    read = next((read for is_such, read in READERS if is_such(path)), None)
    if read is None:
        raise CheckpointError(
            "is no file that can be read",
            where=str(path),
            hint="Give a checkpoint, a trace, or a safetensors, .keras, .h5, .onnx, .ckpt, .npz or "
            ".json file.",
        )
    what, hint = "is damaged, or of another form", "Copy the file again, or write it again."
    try:
        with read_as_data(what, str(path), hint, CheckpointError):
            return read(path)
    except (CheckpointError, PackageNotInstalledError):
        raise
    except DnnbridgeError as error:
        place = error.where if str(path) in error.where else f"{path}: {error.where}".rstrip(": ")
        raise CheckpointError(error.what, where=place, got=error.got, hint=error.hint) from error


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _of_safetensors(path: Path) -> Inspected:
    metadata, entries = safetensors_header(path)
    if str(metadata.get("format")).startswith("dnnbridge checkpoint"):
        return _of_checkpoint(path)
    arrays = [
        InspectedArray(name, "array", entry.shape, _dtype(entry.dtype))
        for name, entry in sorted(entries.items())
    ]
    return Inspected(path, "safetensors", tuple(arrays), facts=metadata)


def _dtype(name: str) -> str:
    """Return NumPy's name; bfloat16 has its size."""
    return "uint16" if name == "bfloat16" else np.dtype(name).name


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


def _is_trace(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _of_trace(path: Path) -> Inspected:
    found, notes = read_trace(path), list[str]()
    spec, experiment = found.head.get("spec"), None
    try:
        experiment = Experiment.from_dict(spec) if spec else None
    except DnnbridgeError as error:
        notes.append(f"The spec cannot be read: {error}")
    if not found.whole:
        notes.append("The last record is not complete: the writer was stopped.")
    steps = sorted(found.steps)
    said = f"{len(steps)}" + (f", from {steps[0]} to {steps[-1]}" if steps else "")
    facts = {"written by": str(found.head.get("framework", "?"))}
    facts |= {"recorded steps": said, "every": str(found.every), "bytes": str(found.size)}
    facts["places"] = ", ".join(
        f"{count} {stage}" for stage, count in Counter(p.stage for p in found.places).items()
    )
    states = [place for place in found.places if place.stage == "state"]
    slots = {place.where: "slot" if ":" in place.where else "array" for place in states}
    arrays = [InspectedArray(p.where, slots[p.where], p.shape, "float32") for p in states]
    logs = tuple({"epoch": n, **row["logs"]} for n, row in sorted(found.epochs.items()))
    return Inspected(path, "trace", tuple(arrays), experiment, facts, logs, tuple(notes))


def _is_weights_of_keras(path: Path) -> bool:
    return path.name.endswith(".weights.h5")


def _is_keras(path: Path) -> bool:
    if path.suffix == ".keras":
        return True
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _of_keras(path: Path) -> Inspected:
    try:
        found = from_keras(path)
    except ConversionError as error:
        if error.__cause__ is not None:  # the file is damaged
            raise
        return _of_unreadable_keras(path, error)
    roles = _roles(trace(found.model)[1].arrays.values())
    listed = [
        InspectedArray(name, _role(name, roles), array.shape, array.dtype.name)
        for name, array in {**found.weights, **found.slots}.items()
    ]
    missing = [name for name in ("loss", "optimizer") if name not in found.fields]
    experiment = None if missing else found.experiment
    facts = {"step": str(found.step)} if found.slots else {}
    notes = found.report.notes
    model = found.model if missing else None
    if missing:
        facts = {"without": " and ".join(missing), **facts}
    return Inspected(
        path, "Keras model", tuple(listed), experiment, facts, notes=notes, model=model
    )


def _of_unreadable_keras(path: Path, error: ConversionError) -> Inspected:
    """Return the arrays alone; raise if there are none, as in a damaged file."""
    try:
        arrays = read_as(".keras" if zipfile.is_zipfile(path) else ".h5", path)
    except ConversionError:
        raise error from None
    listed = [InspectedArray(name, "array", a.shape, a.dtype.name) for name, a in arrays.items()]
    return Inspected(path, "Keras model", tuple(listed), notes=(str(error),))


def _is_npz(path: Path) -> bool:
    return zipfile.is_zipfile(path)


def _is_ckpt(path: Path) -> bool:
    return path.suffix == ".ckpt"


def _of_weights(form: str, title: str) -> Callable[[Path], Inspected]:
    def read(path: Path) -> Inspected:
        arrays = read_as(form, path).items()
        listed = [InspectedArray(name, "array", a.shape, a.dtype.name) for name, a in arrays]
        return Inspected(path, title, tuple(listed))

    return read


def _is_onnx(path: Path) -> bool:
    return path.suffix == ".onnx"


def _of_onnx(path: Path) -> Inspected:
    found = read_contents(path)
    listed = [InspectedArray(name, "array", shape, dtype) for name, shape, dtype in found.arrays]
    return Inspected(path, "ONNX model", tuple(listed), facts=found.facts)


def _is_json(path: Path) -> bool:
    return path.suffix == ".json"


def _of_json(path: Path) -> Inspected:
    try:
        text = path.read_text("utf-8")
        of_keras = "class_name" in json.loads(text)
    except (ValueError, TypeError) as error:
        raise CheckpointError("is not JSON", where=str(path), got=str(error)) from None
    if of_keras:
        return _of_keras(path)
    return Inspected(path, "experiment", experiment=Experiment.from_json(text))


READERS: list[tuple[Callable[[Path], bool], Callable[[Path], Inspected]]] = [
    (_is_trace, _of_trace),
    (_is_json, _of_json),
    (_is_onnx, _of_onnx),
    (_is_ckpt, _of_weights(".ckpt", "MindSpore checkpoint")),
    (_is_safetensors, _of_safetensors),
    (_is_weights_of_keras, _of_weights(".h5", "HDF5 weights")),
    (_is_keras, _of_keras),
    (_is_npz, _of_weights(".npz", "NumPy archive")),
]
"""How each kind of file is recognised, and read."""
