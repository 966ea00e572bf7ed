"""Walk a graph and write it node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.onnx.writing.calls import as_one_node
from dnnbridge.formats.onnx.writing.loops import Body, loop
from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor
from dnnbridge.formats.onnx.writing.table import NOT_IN_A_PREDICTION, TABLE
from dnnbridge.graph import (
    Call,
    Constant,
    ConstantArray,
    Graph,
    Node,
    Scan,
    Value,
)
from dnnbridge.ops import RULES, BroadcastTo

LARGE = 1 << 20
"""Number of elements from which a result is computed by the model, not stored in the file."""


def write_graph(
    w: Nodes, graph: Graph, operands: Sequence[Operand], findings: Findings
) -> list[Operand]:
    """Write the nodes of a graph, and return its outputs.

    Args:
        w: receives the nodes.
        graph: may have calls and loops.
        operands: one for each input of the graph.
        findings: receives the operations that ONNX lacks.
    """
    known: dict[Value, Operand] = dict(zip(graph.inputs, operands, strict=True))
    uses = Counter(value for node in graph.nodes for value in node.inputs)
    uses.update(graph.outputs)
    for node in graph.nodes:
        w.path = node.path
        given = [known[value] for value in node.inputs]
        made = _written(w, node, given, findings)
        known.update(zip(node.outputs, made, strict=True))
        if not isinstance(node.op, Call) and uses[node.outputs[0]] == 1:
            w.alone |= {name for x in made[:1] if isinstance(x, Tensor) for name in _names(x)}
    return graph.results(known)


def _names(x: Tensor) -> set[str]:
    return {name for name in (x.first, x.last) if name is not None}


def _written(w: Nodes, node: Node, given: list[Operand], findings: Findings) -> list[Operand]:
    op = node.op
    if isinstance(op, Constant | ConstantArray):
        return [_constant(op, node.path)]
    if isinstance(op, Call):
        assert node.body is not None
        return as_one_node(w, node, given) or write_graph(w, node.body, given, findings)
    if isinstance(op, Scan):
        body: Body = lambda inner, graph, inputs: write_graph(inner, graph, inputs, findings)  # noqa: E731
        return list(loop(w, node, given, body))
    if (folded := _folded(node, given)) is not None:
        return [folded]
    if type(op) not in TABLE:
        why = NOT_IN_A_PREDICTION.get(type(op), "ONNX has no form of it here")
        findings.add(node.path, f"the operation {type(op).__name__}: {why}")
        return [Tensor(value.type, "missing") for value in node.outputs]
    return [TABLE[type(op)](w, op, node.outputs[0].type, *given)]


def _constant(op: Constant | ConstantArray, path: str) -> Known:
    if isinstance(op, ConstantArray):
        return Known(op.array, f"{path}/constant".lstrip("/"))
    dtypes: Mapping[str, type] = {"float32": np.float64, "int32": np.int32, "bool": np.bool_}
    return Known(np.asarray(op.value, dtypes[op.dtype]), "constant")


def _folded(node: Node, given: Sequence[Operand]) -> Known | None:
    """Return the result of an operation on known numbers alone, computed in float64."""
    op = node.op
    known = [x for x in given if isinstance(x, Known)]
    if not known or len(known) < len(given) or type(op) not in RULES:
        return None
    if isinstance(op, BroadcastTo) and node.outputs[0].type.size() > LARGE:
        return None
    with np.errstate(all="ignore"):
        array = np.asarray(RULES[type(op)].forward(op, *(x.array for x in known)))
    moved = op.moves and len(known) == 1
    return Known(array, known[0].label if moved else f"{node.path}/{type(op).__name__}")
