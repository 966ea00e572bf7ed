"""The prediction of a run as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import write_atomically
from dnnbridge.errors import ConversionError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.onnx.package import onnx_package
from dnnbridge.formats.onnx.writing.comparing import check_predictions
from dnnbridge.formats.onnx.writing.graph import write_graph
from dnnbridge.formats.onnx.writing.loops import OnnxGraph
from dnnbridge.formats.onnx.writing.messages import model_message
from dnnbridge.formats.onnx.writing.nodes import File, Nodes, OnnxNode
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor
from dnnbridge.formats.states import find_states
from dnnbridge.formats.texts import find_texts
from dnnbridge.formats.trained import Trained
from dnnbridge.graph import TensorType, Value
from dnnbridge.program.program import Program

LARGEST = 2_000_000_000
"""Bytes of weights that one protobuf message may hold."""


def save_onnx(run: Trained, path: Path) -> Path:
    """Write the prediction of a run as an ONNX file.

    ONNX Runtime, where it is installed, must predict the numbers of the run.

    Raises:
        ConversionError: the prediction has an operation that ONNX lacks, or too many weights.
        PackageNotInstalledError: the package onnx is missing.
    """
    content = onnx_bytes(run)
    check_predictions(content, run)
    write_atomically(path, content)
    return path


def onnx_bytes(run: Trained) -> bytes:
    """Return the content of the file; `onnx.checker` has accepted it."""
    onnx = onnx_package("An ONNX file")
    program = run.experiment.program()
    size = sum(4 * run.state[array.name].size for array in program.layer_arrays)
    if size > LARGEST:
        raise ConversionError(
            "an ONNX file holds at most 2 GB", where="export", got=f"{size:,} bytes of weights"
        )
    message = prediction_message(onnx, program, run.state, run.step)
    try:
        onnx.checker.check_model(message, full_check=True)
    except Exception as error:
        raise ConversionError(
            "onnx.checker does not accept the model",
            where="export",
            got=str(error),
            hint="Please report this, with the model.",
        ) from error
    content: bytes = message.SerializeToString()
    return content


def prediction_message(onnx: Any, program: Program, state: Mapping[str, Array], step: int) -> Any:
    """Return the function "predict" of a program as a `ModelProto`.

    Args:
        onnx: the package.
        program: the program.
        state: its arrays, by name.
        step: the step whose values the schedules of layers have.
    """
    function, file, findings = program.functions["predict"], File(), Findings()
    find_states(program, findings)
    find_texts(program, findings)
    findings.check("the prediction to ONNX", "written")
    w = Nodes(file)
    inputs: list[tuple[str, TensorType]] = []

    def operand(value: Value) -> Operand:
        if value in function.state:
            name = function.state[value]
            return Known(np.asarray(state[name], np.float64), name)
        kind, _, name = value.name.partition(":")
        if kind == "schedule":
            return Known(np.asarray(float(program.schedules[name](step))), name)
        inputs.append((file.unique(name), value.type))
        return Tensor(value.type, inputs[-1][0])

    # Inputs and outputs keep their names whatever else would take them.
    operands = [operand(value) for value in function.graph.inputs]
    names = [file.unique(name) for name in function.results]
    made = write_graph(w, function.graph, operands, findings)
    findings.check("the prediction to ONNX", "written")
    w.path = ""
    results = [
        (name, value.type) for name, value in zip(names, function.graph.outputs, strict=True)
    ]
    renamed: dict[str, str] = {}
    taken = {name for name, _ in (*inputs, *results)}
    for x, (name, _) in zip(made, results, strict=True):
        old = w.last(x)
        old = renamed.get(old, old)
        if old not in w.makers or old in taken:  # an input, a weight, or another output too
            old = w.add("Identity", [old])
        _rename(w.written, old, name)
        renamed[old] = name
    return model_message(onnx, w.written, file.initializers, inputs, results)


def _rename(nodes: Sequence[OnnxNode], old: str, new: str) -> None:
    """Give a value another name, also in the bodies of loops."""
    for node in nodes:
        node.inputs[:] = [new if each == old else each for each in node.inputs]
        node.outputs[:] = [new if each == old else each for each in node.outputs]
        if isinstance(body := node.attributes.get("body"), OnnxGraph):
            _rename(body.nodes, old, new)
