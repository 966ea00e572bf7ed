"""`read_weights`: the arrays of a file by their names in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path, check_is_file, is_file
from dnnbridge.base.packages import framework, require
from dnnbridge.errors import ConversionError
from dnnbridge.formats.archives import opened_member
from dnnbridge.formats.damage import read_as_data
from dnnbridge.formats.hdf5 import opened_hdf5
from dnnbridge.formats.hdf5_arrays import array_of
from dnnbridge.formats.mindspore.checkpoint import read_checkpoint
from dnnbridge.formats.npz import read_npz
from dnnbridge.formats.numbers import as_float32
from dnnbridge.formats.sizes import count_of

T = TypeVar("T")

HEADER = 100 * 10**6
"""Longest header of a `.safetensors` file, as in the package safetensors."""


@explained()
def read_weights(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a file, by their names in it. No code in the file is run.

    Args:
        path: a `.ckpt` file of MindSpore, a `.safetensors` file (also with the `state_dict` of a
            PyTorch model), a `.npz` file, a `.weights.h5` or `.keras` file of Keras (needs
            h5py), or a checkpoint of TensorFlow: the name before `.index` (needs TensorFlow).

    Raises:
        ConversionError: the file does not exist, is damaged, or is none of these.
        PackageNotInstalledError: h5py or TensorFlow is missing for a file that needs it.

    Example:
        >>> read_weights("missing.npz")
        Traceback (most recent call last):
        dnnbridge.errors.ConversionError: missing.npz: the file does not exist. ...
    """
    place = as_path(path, "read_weights", ConversionError)
    index = place if place.suffix == ".index" else place.with_name(place.name + ".index")
    if is_file(index):
        return _tensorflow(index.with_suffix(""))
    check_is_file(place, ConversionError)
    if place.suffix.lower() not in READERS:
        raise ConversionError(
            "the file has a form that cannot be read",
            where=str(path),
            got=place.suffix or "no ending",
            hint=f"Forms: {', '.join(READERS)}, and checkpoints of TensorFlow. A PyTorch file is "
            "read after safetensors.torch.save_file(model.state_dict(), 'model.safetensors').",
        )
    return read_as(place.suffix.lower(), place)


def read_as(form: str, path: Path) -> dict[str, Array]:
    """Return the arrays of a file of a form, one of `READERS`, whatever its ending.

    Raises:
        ConversionError: the file is damaged or of another form.
    """
    return _explained(READERS[form], path)


def safetensors_header(path: Path) -> tuple[dict[str, str], dict[str, Entry]]:
    """Return the metadata of a `.safetensors` file, and what it says of each array.

    Raises:
        ConversionError: the file is damaged or of another form.
    """
    return _explained(_header, path)


def _explained(read: Callable[[Path], T], path: Path) -> T:
    hint = "Copy the file again, or write it again."
    with read_as_data("the file is damaged, or of another form", str(path), hint):
        return read(path)


SAFE = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "BOOL": "|b1"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1"},
}
"""NumPy's name of each dtype in a `.safetensors` file."""


class Entry(NamedTuple):
    """What a `.safetensors` file says of an array.

    Attributes:
        dtype: as in `SAFE`.
        shape: its sizes.
        start: where its bytes begin in the file.
        stop: where they end.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def _header(path: Path) -> tuple[dict[str, str], dict[str, Entry]]:
    length = path.stat().st_size
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > min(length - 8, HEADER):
            raise ValueError(f"a header of {size} bytes in a file of {length}")
        header = json.loads(file.read(size))
    metadata = header.pop("__metadata__", {})
    entries = {}
    for name, entry in header.items():
        dtype, shape = SAFE[entry["dtype"]], tuple(map(int, entry["shape"]))
        start, stop = (8 + size + int(offset) for offset in entry["data_offsets"])
        width = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
        if not 8 + size <= start <= stop <= length or count_of(shape) * width != stop - start:
            raise ValueError(f"{stop - start} bytes for {name} of shape {shape}")
        entries[name] = Entry(dtype, shape, start, stop)
    if sum(each.stop - each.start for each in entries.values()) > length - 8 - size:
        raise ValueError("several arrays in the same bytes")
    return metadata, entries


def _safetensors(path: Path) -> dict[str, Array]:
    content = path.read_bytes()
    return {
        name: as_float32(content[each.start : each.stop], each.dtype, each.shape)
        for name, each in _header(path)[1].items()
    }


def _keras(path: Path) -> dict[str, Array]:
    with opened_member(path, "model.weights.h5") as stream:
        return _hdf5(stream, str(path))


def _h5(path: Path) -> dict[str, Array]:
    return _hdf5(path, str(path))


def _hdf5(source: Path | IO[bytes], where: str) -> dict[str, Array]:
    require("convert", "an .h5 file")
    import h5py

    made: dict[str, Array] = {}

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            made[name] = array_of(item)

    with opened_hdf5(source, where) as stored:
        stored.visititems(add)
    return made


def _tensorflow(prefix: Path) -> dict[str, Array]:
    tf = framework("tensorflow", "a checkpoint of TensorFlow", "save the arrays as .npz.")
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = reader.get_variable_to_shape_map()
        found = {name: reader.get_tensor(name) for name in sorted(names)}
    except Exception as error:
        raise ConversionError(
            "the checkpoint is damaged", where=str(prefix), got=str(error)
        ) from error
    arrays = {name: np.asarray(a) for name, a in found.items() if not isinstance(a, bytes)}
    ends = "/.ATTRIBUTES/VARIABLE_VALUE"
    return {name.removesuffix(ends): a for name, a in arrays.items() if a.dtype.kind in "fiub"}


READERS: Mapping[str, Callable[[Path], dict[str, Array]]] = {
    ".ckpt": read_checkpoint,
    ".safetensors": _safetensors,
    ".npz": read_npz,
    ".h5": _h5,
    ".keras": _keras,
}
"""The reader of each form, by the ending of the file."""
