"""`origin`: the operation that made a value, looked up through calls, and its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.op import Op
from dnnbridge.graph.structure import Call
from dnnbridge.graph.types import TensorType
from dnnbridge.graph.value import Value

NewValue = Callable[[TensorType], Value]


class Origin(NamedTuple):
    """Where a value comes from.

    Attributes:
        op: the operation that made it.
        inputs: the inputs of the operation, in the graph that contains it.
    """

    op: Op
    inputs: tuple[Value, ...]


def origin(nodes: Sequence[Node], value: Value) -> Origin | Value:
    """Return the operation that made a value, looked up through calls, or the graph input."""
    node = _maker(nodes, value)
    if node is None:
        return value
    if node.body is None or not isinstance(node.op, Call):
        return Origin(node.op, node.inputs)
    found = origin(node.body.nodes, node.body.outputs[node.outputs.index(value)])
    return origin(nodes, _argument(node, found)) if isinstance(found, Value) else found


def expose(nodes: list[Node], value: Value, new: NewValue) -> Value:
    """Return the first input of the operation that made a value, as a value among `nodes`.

    Each call on the way gets one more output, marked by `Call.exposed`.
    """
    node = _maker(nodes, value)
    assert node is not None
    if node.body is None or not isinstance(node.op, Call):
        return node.inputs[0]
    body, inner = node.body, node.body.outputs[node.outputs.index(value)]
    handed_on = origin(body.nodes, inner)
    if isinstance(handed_on, Value):
        return expose(nodes, _argument(node, handed_on), new)
    written = list(body.nodes)
    found = expose(written, inner, new)
    if found in body.inputs:
        return _argument(node, found)
    output = new(found.type)
    graph = Graph(body.name, body.inputs, tuple(written), (*body.outputs, found))
    nodes[nodes.index(node)] = Node(
        replace(node.op, exposed=True), node.inputs, (*node.outputs, output), node.path, graph
    )
    return output


def _argument(call: Node, value: Value) -> Value:
    """Return the argument of a call for an input of its body."""
    assert call.body is not None
    return call.inputs[call.body.inputs.index(value)]


def _maker(nodes: Sequence[Node], value: Value) -> Node | None:
    return next((node for node in reversed(nodes) if value in node.outputs), None)
