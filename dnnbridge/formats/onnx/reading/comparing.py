"""Compare the prediction of a model with that of the ONNX file it was read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import load
from dnnbridge.errors import ConversionError
from dnnbridge.formats.onnx.package import runtime
from dnnbridge.graph import inline
from dnnbridge.models import Model
from dnnbridge.models.tracing import trace
from dnnbridge.ops.float64 import Interpreter

EXAMPLES = 3

TOLERANCE = 1e-4
"""Largest difference, in units of the largest number. Rounding alone gives less than 1e-5."""


def compare(
    path: Path,
    message: Any,
    model: Model,
    names: Sequence[str],
    arrays: Mapping[str, Array],
    limits: Mapping[str, int],
    batch: int | None,
) -> None:
    """Raise unless both predict the same on random inputs.

    Args:
        path: the file.
        message: its `ModelProto`.
        model: what was read.
        names: the inputs, by their names in the file.
        arrays: the weights.
        limits: one more than the largest number that an input of whole numbers may have.
        batch: the size of the batch, if the file has a fixed one.
    """
    feeds = _random_inputs(message, model, names, limits, batch or EXAMPLES)
    theirs = _theirs(path, message, feeds)
    ours = _ours(model, arrays, [feeds[name] for name in names])
    for output, made, expected in zip(message.graph.output, ours, theirs, strict=True):
        error = difference(made, expected)
        if not error <= TOLERANCE:
            raise ConversionError(
                "the model here gives other numbers than the file",
                where=f"{path.name}: {output.name}",
                got=f"a difference of {error:.1e} of the largest number",
                hint="Please report this file. Its prediction may overflow float32.",
            )


def _random_inputs(
    message: Any, model: Model, names: Sequence[str], limits: Mapping[str, int], examples: int
) -> dict[str, Array]:
    kinds = {each.name: each.type.tensor_type.elem_type for each in message.graph.input}
    made: dict[str, Array] = {}
    for index, (name, type) in enumerate(zip(names, model.input_types.values(), strict=True)):
        random, shape = np.random.default_rng(index), type.concrete(examples)
        if type.dtype == "float32":
            made[name] = random.normal(size=shape).astype(np.float32)
        else:
            limit = limits.get(name, 2**31)
            whole = random.integers(0, 2 if limit == 2**31 else limit, shape)
            made[name] = whole.astype(np.int64 if kinds[name] == 7 else np.int32)
    return made


def _theirs(path: Path, message: Any, feeds: Mapping[str, Array]) -> list[Array]:
    """Return the predictions of ONNX Runtime, or of the reference of ONNX."""
    used = {name for node in message.graph.node for name in node.input}
    package = runtime()
    if package is not None:
        options = package.SessionOptions()
        options.log_severity_level = 3
        try:
            session = package.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            return [np.asarray(each) for each in session.run(None, dict(feeds))]
        except Exception as error:  # its own classes are not public
            raise ConversionError(
                "ONNX Runtime does not run the file", where=path.name, got=str(error)
            ) from error
    reference = load("onnx.reference")
    given = {name: array for name, array in feeds.items() if name in used}
    return [np.asarray(each) for each in reference.ReferenceEvaluator(str(path)).run(None, given)]


def _ours(model: Model, arrays: Mapping[str, Array], inputs: Sequence[Array]) -> list[Array]:
    graph = inline(trace(model)[0])
    known = {**arrays, **dict(zip(model.input_types, inputs, strict=True))}
    with np.errstate(all="ignore"):
        return Interpreter().outputs_of(graph, [known[value.name] for value in graph.inputs])


def difference(made: Array, expected: Array) -> float:
    """Return the largest difference, in units of the largest number; where both are NaN it is 0."""
    if made.shape != expected.shape or not np.array_equal(np.isfinite(made), np.isfinite(expected)):
        return float("inf")
    finite = np.isfinite(expected)
    unit = max(float(np.abs(expected[finite]).max(initial=0.0)), 1e-30)
    return float(np.abs(made[finite] - expected[finite]).max(initial=0.0)) / unit
