"""Read an ONNX file and its arrays, with limits before memory is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import check_is_file
from dnnbridge.errors import ConversionError
from dnnbridge.formats.onnx.package import dtype_name, onnx_package
from dnnbridge.formats.sizes import count_of

LARGEST = 2_147_483_648
"""Bytes of a file; protobuf reads no larger message."""

HELD = {
    "FLOAT": ("float_data", np.float32),
    "DOUBLE": ("double_data", np.float64),
    "INT64": ("int64_data", np.int64),
    "INT32": ("int32_data", np.int32),
    "INT8": ("int32_data", np.int8),
    "UINT8": ("int32_data", np.uint8),
    "BOOL": ("int32_data", np.bool_),
    "FLOAT16": ("int32_data", np.float16),
}
"""The field and the dtype of each type of array that can be read."""

NOT_UTF8 = "damaged: a text that is not UTF-8"


def read_model(path: Path, what: str = "from_onnx") -> Any:
    """Return the `ModelProto` in a file, without the arrays in other files.

    Args:
        path: the file.
        what: what reads it, as the beginning of a sentence.

    Raises:
        ConversionError: the file is missing, too large or damaged.
        PackageNotInstalledError: the package onnx is missing.
    """
    onnx = onnx_package(what)
    check_is_file(path, ConversionError)
    if (size := path.stat().st_size) > LARGEST:
        raise ConversionError("an ONNX file has at most 2 GB", where=str(path), got=f"{size:,}")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except UnicodeDecodeError as error:  # protobuf in Python; the one in C gives bytes, see below
        raise ConversionError(NOT_UTF8, where=str(path)) from error
    except Exception as error:  # the class belongs to protobuf, which may be any of two packages
        raise ConversionError("not an ONNX file", where=str(path), got=str(error)) from error
    if not model.graph.node or not model.opset_import:
        raise ConversionError("not an ONNX file", where=str(path), got="a file without nodes")
    if not all(isinstance(text, str) for text in _texts(model)):
        raise ConversionError(NOT_UTF8, where=str(path))
    _check_tree(model.graph, path)
    return model


def _texts(message: Any) -> Iterator[Any]:
    """Yield every text in a message; protobuf gives one that is not UTF-8 as bytes."""
    for field, value in message.ListFields():
        values = (
            [value] if hasattr(value, "ListFields") or isinstance(value, str | bytes) else value
        )
        if field.type == field.TYPE_STRING:
            yield from values
        elif field.type == field.TYPE_MESSAGE:
            for each in values:
                yield from _texts(each)


def _check_tree(graph: Any, path: Path) -> None:
    """Raise unless each value is made once, after what it is made of: so there are no cycles."""
    known = {each.name for each in (*graph.input, *graph.initializer)} | {""}
    for node in graph.node:
        if missing := [name for name in node.input if name not in known]:
            raise ConversionError(
                "a node reads what no node before it has made",
                where=f"{path}: {node.name or node.op_type}",
                got=", ".join(missing),
            )
        made = [name for name in node.output if name]
        if again := [name for name in made if name in known]:
            raise ConversionError(
                "a value is made twice", where=f"{path}: {node.name or node.op_type}", got=again[0]
            )
        known.update(made)
    if lost := [each.name for each in graph.output if each.name not in known]:
        raise ConversionError("no node makes an output", where=str(path), got=", ".join(lost))


def array_of(tensor: Any, folder: Path) -> Array:
    """Return the numbers of a `TensorProto`; its sizes are checked before they are read.

    Raises:
        ConversionError: a dtype that cannot be read, or numbers that do not fit the shape.
    """
    onnx = onnx_package("from_onnx")
    kind = dtype_name(tensor.data_type)
    where = f"the array {tensor.name or '(without a name)'}"
    if kind not in HELD:
        raise ConversionError("a dtype that cannot be read", where=where, got=kind)
    field, dtype = HELD[kind]
    shape = tuple(tensor.dims)
    try:
        wanted = count_of(shape) * np.dtype(dtype).itemsize
    except ValueError as error:
        raise ConversionError("a wrong shape", where=where, got=str(error)) from None
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raw = _external(tensor, folder, wanted, where)
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data
    else:
        raw = None
    count = len(getattr(tensor, field)) * np.dtype(dtype).itemsize if raw is None else len(raw)
    if count != wanted:
        raise ConversionError(
            "the numbers do not fit the shape",
            where=where,
            got=f"{count:,} bytes for {shape}, which needs {wanted:,}",
        )
    if raw is not None:
        return np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
    if kind == "FLOAT16":
        return np.array(tensor.int32_data, np.uint16).view(np.float16).reshape(shape)
    return np.array(getattr(tensor, field), dtype).reshape(shape)


def _external(tensor: Any, folder: Path, wanted: int, where: str) -> bytes:
    """Return the bytes of an array in another file, which must be in the folder of the model."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = (folder / entries.get("location", "")).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ConversionError(
            "the array is in a file outside the folder of the model",
            where=where,
            got=entries.get("location", ""),
        )
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", wanted))
    except ValueError as error:
        raise ConversionError("a wrong place in a file", where=where, got=str(error)) from error
    if not path.is_file() or offset < 0 or length != wanted:
        raise ConversionError(
            "the array is not in the file", where=where, got=f"{path.name}, {length:,} bytes"
        )
    if path.stat().st_size < offset + length:
        raise ConversionError("the file is too short", where=where, got=path.name)
    with path.open("rb") as file:
        file.seek(offset)
        raw: bytes = file.read(length)
    return raw


def attributes(node: Any, folder: Path) -> dict[str, Any]:
    """Return the attributes of a node by name: numbers, text, lists and arrays."""
    onnx = onnx_package("from_onnx")
    return dict(_attributes(onnx, node, folder))


def _attributes(onnx: Any, node: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    kinds = onnx.AttributeProto
    for each in node.attribute:
        if each.type == kinds.TENSOR:
            yield each.name, array_of(each.t, folder)
        elif each.type == kinds.STRING:
            yield each.name, each.s.decode("utf-8", "replace")
        elif each.type in (kinds.INT, kinds.FLOAT):
            yield each.name, each.i if each.type == kinds.INT else each.f
        elif each.type in (kinds.INTS, kinds.FLOATS):
            yield each.name, tuple(each.ints if each.type == kinds.INTS else each.floats)
        elif each.type == kinds.STRINGS:
            yield each.name, tuple(s.decode("utf-8", "replace") for s in each.strings)
        else:
            yield each.name, None  # a graph, which no rule here takes
