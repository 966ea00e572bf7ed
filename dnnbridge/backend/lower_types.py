"""`computed_in_float32`: operations of a lower type as float32 operations between casts.

An operation of a lower type rounds its exact result once. Many kernels of such types round at every
addition instead, or are missing. The same operation in float32, on the same numbers, and then one
rounding, is that meaning. A backend names the operations whose kernels need no such detour.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dnnbridge.graph import LOWER, Constant, Graph, Node, Op, Recompute, Value
from dnnbridge.ops import Cast


def computed_in_float32(graph: Graph, native: Collection[type[Op]]) -> Graph:
    """Return a flat graph in which only casts and native operations have values of a lower type.

    Args:
        graph: a graph whose calls are inlined, but for those that a backend claims.
        native: operations that the backend computes in lower types itself. Their derivatives must
            round as few times as these of float32 do.
    """
    return _Detours(graph, native).graph() if any(map(has_lower, graph.nodes)) else graph


def has_lower(node: Node) -> bool:
    """Return whether a node, or anything in its body, has a value of a lower type."""
    inner = node.body.walk() if node.body is not None else ()
    return any(
        value.dtype in LOWER for each in (node, *inner) for value in (*each.inputs, *each.outputs)
    )


class _Detours:
    """Rewrites one graph."""

    def __init__(self, source: Graph, native: Collection[type[Op]]) -> None:
        self.source, self.native = source, native
        self.nodes: list[Node] = []
        self._wide: dict[Value, Value] = {}
        self._numbers: set[Value] = set()

    def graph(self) -> Graph:
        for node in self.source.nodes:
            self._write(node)
        return replace(self.source, nodes=tuple(self.nodes))

    def _write(self, node: Node) -> None:
        if not any(value.dtype in LOWER for value in (*node.inputs, *node.outputs)):
            body = node.body and computed_in_float32(node.body, self.native)
            self.nodes.append(replace(node, body=body))
        elif isinstance(node.op, Recompute):
            self._recompute(node)
        elif isinstance(node.op, Constant):
            self._constant(node)
        elif isinstance(node.op, Cast) or self._is_native(node):
            self.nodes.append(node)
        else:
            self._detour(node)

    def _is_native(self, node: Node) -> bool:
        return type(node.op) in self.native and self._numbers.isdisjoint(node.inputs)

    def _constant(self, node: Node) -> None:
        """Write a number in float32; it is a number of the lower type already."""
        (value,) = node.outputs
        wide = value.in_type("float32")
        self.nodes.append(replace(node, op=replace(node.op, dtype="float32"), outputs=(wide,)))  # type: ignore[call-arg]
        self._wide[value] = wide
        self._numbers.add(value)

    def _recompute(self, node: Node) -> None:
        """Write a body that takes the float32 values that all readers share.

        So their cotangents are summed before they are rounded, as if the body stood here.
        """
        assert node.body is not None
        inner, own = _Detours(node.body, self.native), node.body.inputs
        inner._wide = {v: v.in_type("float32") for v in own if v.dtype in LOWER}
        made = inner.graph()
        read = {*made.outputs, *(value for each in made.nodes for value in each.inputs)}
        casts = tuple(
            Node(Cast(value.dtype), (wide,), (value,), node.path)
            for value, wide in inner._wide.items()
            if value in own and value in read
        )
        given = tuple(inner._wide.get(value, value) for value in own)
        body = replace(made, inputs=given, nodes=(*casts, *made.nodes))
        inputs = tuple(self._widened(value, node.path) for value in node.inputs)
        self.nodes.append(replace(node, inputs=inputs, body=body))

    def _detour(self, node: Node) -> None:
        """Write an operation in float32; a result of a lower type is rounded to it."""
        inputs = tuple(self._widened(value, node.path) for value in node.inputs)
        outputs = tuple(v.in_type("float32") if v.dtype in LOWER else v for v in node.outputs)
        self.nodes.append(replace(node, inputs=inputs, outputs=outputs))
        for value, wide in zip(node.outputs, outputs, strict=True):
            if wide is not value:
                self._cast(wide, value, node.path)

    def _widened(self, value: Value, path: str) -> Value:
        """Return a value in float32. All readers share it, so that its cotangent rounds once."""
        if value.dtype not in LOWER:
            return value
        if value not in self._wide:
            self._wide[value] = value.in_type("float32")
            self._cast(value, self._wide[value], path)
        return self._wide[value]

    def _cast(self, given: Value, made: Value, path: str) -> None:
        self.nodes.append(Node(Cast(made.dtype), (given,), (made,), path))
