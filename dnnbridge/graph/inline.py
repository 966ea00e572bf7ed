"""Flatten calls: replace each call that a backend does not claim by the nodes of its body."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.structure import Call, Recompute
from dnnbridge.graph.value import Value

Claimed = Callable[[Node], bool]
"""Says whether a backend lowers a call as a whole."""


def _none(call: Node) -> bool:
    return False


def inline(graph: Graph, claimed: Claimed = _none, recomputed: Claimed = _none) -> Graph:
    """Return the graph with every call replaced by its body; a claimed call keeps its own.

    Args:
        graph: the graph to flatten.
        claimed: whether a call stays as it is.
        recomputed: whether a call becomes a `Recompute`, in which a claimed call stays. Calls
            inside it are then part of it.
    """
    known: dict[Value, Value] = {value: value for value in graph.inputs}
    nodes: list[Node] = []
    _flatten(graph.nodes, known, nodes, claimed, recomputed)
    return Graph(graph.name, graph.inputs, tuple(nodes), tuple(known[v] for v in graph.outputs))


def _flatten(
    source: Sequence[Node],
    known: dict[Value, Value],
    nodes: list[Node],
    claimed: Claimed,
    recomputed: Claimed,
) -> None:
    for node in source:
        inputs = tuple(known[value] for value in node.inputs)
        body = node.body
        if isinstance(node.op, Call) and recomputed(node):
            body = flat_call(node, claimed)
            nodes.append(Node(Recompute(), inputs, node.outputs, node.path, body))
            known.update((value, value) for value in node.outputs)
            continue
        if isinstance(node.op, Call) and not claimed(node):
            assert body is not None
            inner = dict(zip(body.inputs, inputs, strict=True))
            _flatten(body.nodes, inner, nodes, claimed, recomputed)
            outputs = (inner[value] for value in body.outputs)
            known.update(zip(node.outputs, outputs, strict=True))
            continue
        if body is not None and not isinstance(node.op, Call):
            body = inline(body, claimed, recomputed)
        nodes.append(Node(node.op, inputs, node.outputs, node.path, body))
        known.update((value, value) for value in node.outputs)


def flat_call(node: Node, claimed: Claimed) -> Graph:
    """Return a graph that has one call alone, flattened."""
    assert node.body is not None
    given = tuple(Value(v.builder, v.name, v.type) for v in node.body.inputs)
    made = tuple(Value(v.builder, v.name, v.type) for v in node.outputs)
    call = Node(node.op, given, made, node.path, node.body)
    return inline(Graph(node.body.name, given, (call,), made), claimed)
