"""Flatten calls: replace each call that a backend does not claim by the nodes of its body."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.structure import Call
from dnnbridge.graph.value import Value

Claimed = Callable[[Node], bool]
"""Says whether a backend lowers a call as a whole."""


def inline(graph: Graph, claimed: Claimed = lambda call: False) -> Graph:
    """Return the graph with every call replaced by its body; a claimed call keeps its own."""
    known: dict[Value, Value] = {value: value for value in graph.inputs}
    nodes: list[Node] = []
    _flatten(graph.nodes, known, nodes, claimed)
    return Graph(graph.name, graph.inputs, tuple(nodes), tuple(known[v] for v in graph.outputs))


def _flatten(
    source: Sequence[Node], known: dict[Value, Value], nodes: list[Node], claimed: Claimed
) -> None:
    for node in source:
        inputs = tuple(known[value] for value in node.inputs)
        if isinstance(node.op, Call) and not claimed(node):
            assert node.body is not None
            inner = dict(zip(node.body.inputs, inputs, strict=True))
            _flatten(node.body.nodes, inner, nodes, claimed)
            outputs = (inner[value] for value in node.body.outputs)
            known.update(zip(node.outputs, outputs, strict=True))
            continue
        body = node.body
        if body is not None and not isinstance(node.op, Call):
            body = inline(body, claimed)
        nodes.append(Node(node.op, inputs, node.outputs, node.path, body))
        known.update((value, value) for value in node.outputs)
