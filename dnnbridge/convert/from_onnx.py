"""`from_onnx`: read an ONNX file of a prediction as a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.files import as_path
from dnnbridge.convert.imported import Imported
from dnnbridge.convert.report import ImportReport, rows_of
from dnnbridge.errors import ConversionError
from dnnbridge.formats.damage import read_as_data
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.onnx.package import dtype_name
from dnnbridge.formats.onnx.reading.comparing import compare
from dnnbridge.formats.onnx.reading.file import read_model
from dnnbridge.formats.onnx.reading.reader import Reader
from dnnbridge.formats.onnx.reading.values import Merged, Tensor
from dnnbridge.layers import Activation
from dnnbridge.models import Input, Model
from dnnbridge.models.tracing import trace

DTYPES = {"FLOAT": "float32", "INT64": "int32", "INT32": "int32"}
"""The dtype of an input here, by its dtype in ONNX."""


@explained()
def from_onnx(path: str | Path, input_shapes: Any = None) -> Imported:
    """Read an ONNX file of a prediction, such as one of `torch.onnx.export`.

    Initializers become weights that are trained, with the names of the file where it has some:
    `layer1.0.conv1.weight` is `layer1_0_conv1/kernel` here. Running statistics are buffers. Tensors
    keep the layout of the file, which has channels first. What depends on shapes alone is computed.
    At last the prediction in float64 is compared with that of ONNX Runtime on random inputs, or of
    `onnx.reference` where it is not installed; if they differ, this is an error.

    Args:
        path: the file. Its first axis of each input and output is the batch, of any size here.
        input_shapes: the shape of an example without the batch, for a file that leaves it open; a
            list of them, or a dict by name, for several inputs.

    Raises:
        ConversionError: the file is damaged or too large, or has operators or attributes without a
            counterpart. The message names all of them, with the names of their nodes. Or the
            predictions differ.
        PackageNotInstalledError: the package onnx is missing.

    Example:
        >>> from_onnx("missing.onnx")
        Traceback (most recent call last):
        dnnbridge.errors.ConversionError: missing.onnx: the file does not exist. ...
    """
    place = as_path(path, "from_onnx", ConversionError)
    what, hint = (
        "cannot be read as an ONNX model: it is damaged",
        "Export it again, or look into it with onnx.checker.",
    )
    with read_as_data(what, str(place), hint):
        return _read(place, input_shapes)


def _read(place: Path, input_shapes: Any) -> Imported:
    message = read_model(place)
    where, findings = place.name, Findings()
    opset = next((o.version for o in message.opset_import if o.domain in ("", "ai.onnx")), 0)
    inputs, batch = _inputs(message.graph, input_shapes, findings)
    reader = Reader(message.graph, opset, place.parent, findings, batch)
    reader.limits = {name: 2**31 for name, each in inputs.items() if each.dtype == "int32"}
    findings.check(where)
    reader.read(inputs)
    symbols = _outputs(reader)
    findings.check(where)
    return _imported(place, message, reader, inputs, symbols)


def _imported(
    place: Path, message: Any, reader: Reader, inputs: dict[str, Input], symbols: list[Any]
) -> Imported:
    """Return what was read, if its prediction is that of the file."""
    where = place.name
    model = Model(list(inputs.values()), symbols)
    graph, declarations = trace(model)
    arrays = {name: a for name, a in reader.weights.items() if name in declarations.arrays}
    _check_shapes(arrays, declarations.arrays, where)
    notes = _unused(message.graph, inputs, reader)
    names = list(inputs)
    compare(place, message, model, names, arrays, reader.limits, reader.batch)
    frozen = tuple(n for n in reader.frozen if n in arrays and declarations.arrays[n].trainable)
    fields: dict[str, Any] = {"frozen": frozen} if frozen else {}
    report = ImportReport(where, tuple(rows_of(graph, arrays)), tuple(notes))
    return Imported(model, fields, arrays, {}, 0, report)


def _inputs(graph: Any, given: Any, findings: Findings) -> tuple[dict[str, Input], int | None]:
    """Return the inputs by their names in the file, and the size of the batch if it is fixed."""
    arrays = {each.name for each in graph.initializer}
    wanted = [each for each in graph.input if each.name not in arrays]
    shapes = _shapes(given, [each.name for each in wanted])
    made: dict[str, Input] = {}
    batches = set()
    for each in wanted:
        tensor = each.type.tensor_type
        kind = dtype_name(tensor.elem_type)
        sizes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
        if kind not in DTYPES:
            findings.add(each.name, f"an input of dtype {kind}")
            continue
        if not sizes and each.name not in shapes:
            findings.add(each.name, "an input without a batch axis")
            continue
        shape = shapes.get(each.name, tuple(sizes[1:]))
        if not all(isinstance(n, int) and n > 0 for n in shape):
            findings.add(each.name, f"an input of open shape {tuple(sizes)}: give input_shapes")
            continue
        batches.add(sizes[0] if sizes else None)
        made[each.name] = Input(tuple(int(n or 0) for n in shape), DTYPES[kind], each.name)  # type: ignore[arg-type]
    if not wanted:
        findings.add("", "no inputs")
    return made, batches.pop() if len(batches) == 1 else None


def _shapes(given: Any, names: list[str]) -> dict[str, tuple[Any, ...]]:
    """Return the given shapes by the names of the inputs."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        if unknown := sorted(set(given) - set(names)):
            raise ConversionError(
                "input_shapes has a name that the file lacks",
                where="from_onnx",
                got=", ".join(unknown),
                hint=f"Its inputs are {', '.join(names)}.",
            )
        return {name: tuple(shape) for name, shape in given.items()}
    listed = [given] if all(isinstance(n, int) for n in given) else list(given)
    if len(listed) != len(names):
        raise ConversionError(
            "input_shapes needs one shape per input",
            where="from_onnx",
            got=f"{len(listed)} for {', '.join(names)}",
        )
    return {name: tuple(shape) for name, shape in zip(names, listed, strict=True)}


def _outputs(reader: Reader) -> list[Any]:
    made: list[Any] = []
    for output in reader.graph.output:
        value = reader.values[output.name]
        if isinstance(value, Merged):
            reader.findings.add(output.name, "an output in which the batch is one axis with others")
        elif isinstance(value, Tensor) and value.batch:
            reader.findings.add(output.name, f"an output whose batch is axis {value.batch}")
        elif isinstance(value, Tensor):
            symbol = value.symbol
            again = isinstance(symbol, Input) or any(symbol is each for each in made)
            made.append(Activation("linear")(symbol) if again else symbol)
        elif value is not None:
            reader.findings.add(output.name, "an output that does not depend on the inputs")
    return made


def _check_shapes(arrays: Mapping[str, Array], declared: Mapping[str, Any], where: str) -> None:
    for name, array in arrays.items():
        if array.shape != tuple(declared[name].shape):
            raise ConversionError(
                "an array has another shape than the layer here",
                where=f"{where}: {name}",
                got=f"{array.shape}, not {tuple(declared[name].shape)}",
            )
    if missing := [name for name in declared if name not in arrays]:
        raise ConversionError("weights were not found", where=where, got=", ".join(missing))


def _unused(graph: Any, inputs: Mapping[str, Input], reader: Reader) -> list[str]:
    notes = [f"The input {name} is not used." for name in inputs if not reader.users[name]]
    largest = max((np.abs(a).max(initial=0.0) for a in reader.weights.values()), default=0.0)
    return notes if np.isfinite(largest) else [*notes, "Some weights are infinite or NaN."]
