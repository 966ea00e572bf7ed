"""`with_calls_exposed`: a graph that also returns what the calls inside it return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.structure import Call
from dnnbridge.graph.value import Value


@dataclass(frozen=True, eq=False)
class ExposedCall:
    """A call in a graph or in the bodies of its calls.

    Attributes:
        node: the call where it was written.
        outputs: its outputs as values of the outermost graph.
    """

    node: Node
    outputs: tuple[Value, ...]

    @property
    def path(self) -> str:
        return self.node.path


def with_calls_exposed(
    nodes: Sequence[Node], wanted: Callable[[Node], bool]
) -> tuple[list[Node], list[ExposedCall]]:
    """Return the nodes, rewritten so that results of inner calls are values of the outer graph.

    The calls come in the order of computing: those in a body before the call itself. Calls within
    a loop have no value outside it, and are left out. A call whose inner calls are wanted gets
    more outputs and is marked by `Call.exposed`; no backend claims it then.
    """
    written: list[Node] = []
    found: list[ExposedCall] = []
    for node in nodes:
        made, inner = _with_inner(node, wanted)
        written.append(made)
        found += inner
        if isinstance(node.op, Call) and wanted(node):
            found.append(ExposedCall(node, node.outputs))
    return written, found


def _with_inner(node: Node, wanted: Callable[[Node], bool]) -> tuple[Node, list[ExposedCall]]:
    """Return a call that also returns the wanted calls of its body, and these calls."""
    body = node.body
    if body is None or not isinstance(node.op, Call):
        return node, []
    nodes, inner = with_calls_exposed(body.nodes, wanted)
    if not inner:
        return node, []
    outside = dict(zip(body.outputs, node.outputs, strict=True))
    for value in (value for call in inner for value in call.outputs):
        outside.setdefault(value, Value(node.outputs[0].builder, value.name, value.type))
    more = [value for value in outside if value not in body.outputs]
    graph = Graph(body.name, body.inputs, tuple(nodes), (*body.outputs, *more))
    made = Node(
        replace(node.op, exposed=True),
        node.inputs,
        (*node.outputs, *(outside[value] for value in more)),
        node.path,
        graph,
    )
    return made, [ExposedCall(c.node, tuple(outside[v] for v in c.outputs)) for c in inner]
