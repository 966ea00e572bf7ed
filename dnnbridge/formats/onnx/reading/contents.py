"""What an ONNX file holds: operators, inputs, outputs and arrays, without their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dnnbridge.formats.onnx.package import dtype_name
from dnnbridge.formats.onnx.reading.file import read_model

DTYPES = {
    **{"FLOAT": "float32", "DOUBLE": "float64", "FLOAT16": "float16", "BOOL": "bool"},
    **{"BFLOAT16": "uint16", "STRING": "object"},
    **{f"{kind}{bits}": f"{kind.lower()}{bits}" for kind in ("INT", "UINT") for bits in (8, 16)},
    **{f"{kind}{bits}": f"{kind.lower()}{bits}" for kind in ("INT", "UINT") for bits in (32, 64)},
}
"""NumPy's name of each dtype of ONNX; bfloat16 has its size. All others take at most a byte."""


class Contents(NamedTuple):
    """What an ONNX file holds.

    Attributes:
        facts: the opset, what wrote the file, inputs, outputs and operators, as text.
        arrays: name, shape and NumPy dtype of each array.
    """

    facts: dict[str, str]
    arrays: list[tuple[str, tuple[int, ...], str]]


def read_contents(path: Path) -> Contents:
    """Return what an ONNX file holds.

    Raises:
        ConversionError: the file is missing, too large or damaged.
        PackageNotInstalledError: the package onnx is missing.
    """
    model = read_model(path, "inspecting an ONNX file")
    arrays = {tensor.name: tensor for graph in _graphs(model.graph) for tensor in graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in arrays]
    count = Counter(_operator(node) for graph in _graphs(model.graph) for node in graph.node)
    sets = (f"{each.domain or 'ai.onnx'} {each.version}" for each in model.opset_import)
    facts = {
        "opset": ", ".join(sets),
        "written by": f"{model.producer_name} {model.producer_version}".strip(),
        "inputs": ", ".join(_value(each) for each in inputs),
        "outputs": ", ".join(_value(each) for each in model.graph.output),
        "operators": ", ".join(f"{name} {number}" for name, number in sorted(count.items())),
    }
    listed = [
        (name, tuple(a.dims), DTYPES.get(dtype_name(a.data_type), "uint8"))
        for name, a in arrays.items()
    ]
    return Contents({name: text for name, text in facts.items() if text}, listed)


def _graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and those in its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(inner)


def _operator(node: Any) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else str(node.op_type)


def _value(value: Any) -> str:
    """Return name, dtype and sizes of an input or an output; "?" is a size that is open."""
    tensor = value.type.tensor_type
    sizes = (str(d.dim_value) if d.dim_value else d.dim_param or "?" for d in tensor.shape.dim)
    dtype = DTYPES.get(dtype_name(tensor.elem_type), dtype_name(tensor.elem_type).lower())
    return f"{value.name} {dtype} ({', '.join(sizes)})"
