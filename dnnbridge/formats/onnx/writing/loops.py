"""A loop of a graph as a Scan of ONNX, which has the same form: carries, sequences, results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from dnnbridge.formats.onnx.writing.nodes import Nodes, OnnxNode
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor
from dnnbridge.graph import Graph, Node, Scan, TensorType

Body = Callable[[Nodes, Graph, Sequence[Operand]], Sequence[Operand]]
"""Writes the nodes of a body, given its inputs, and returns its outputs."""


@dataclass(eq=False)
class OnnxGraph:
    """The body of a loop: its nodes, and names and types of its inputs and outputs."""

    name: str
    nodes: list[OnnxNode]
    inputs: list[tuple[str, TensorType]]
    outputs: list[tuple[str, TensorType]]


def loop(w: Nodes, node: Node, given: Sequence[Operand], write: Body) -> list[Tensor]:
    """Write a loop. Values that the body captured are read from the outer graph by their names."""
    op, graph = cast(Scan, node.op), cast(Graph, node.body)
    end = op.carries + op.sequences
    passed = [w.last(x) for x in given[:end]]
    captured = [x if isinstance(x, Known) else Tensor(x.type, w.last(x)) for x in given[end:]]
    inner = Nodes(w.file)
    inputs = [(w.file.unique(f"{node.path}/step"), value.type) for value in graph.inputs[:end]]
    tensors = [Tensor(type, name) for name, type in inputs]
    path = w.path
    made = write(inner, graph, [*tensors, *captured])
    inner.path = w.path = path
    # An output of a body needs a name of its own, even where it is an input or a captured value.
    outputs = [
        (inner.add("Identity", [inner.last(x)]), value.type)
        for x, value in zip(made, graph.outputs, strict=True)
    ]
    if not op.sequences:  # ONNX takes the number of steps from a sequence
        passed.append(w.last(Known(np.zeros(op.length), f"{path}/steps")))
        inputs.append((w.file.unique(f"{path}/step"), TensorType(())))
    body = OnnxGraph(w.file.unique(f"{path}/body"), inner.written, inputs, outputs)
    names = w.add_all(
        "Scan", passed, len(outputs), body=body, num_scan_inputs=len(passed) - op.carries
    )
    types = [value.type for value in node.outputs]
    return [Tensor(type, name) for name, type in zip(names, types, strict=True)]
