"""`Flow`: values of a network, with their channels first or last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from dnnbridge import ops
from dnnbridge.formats.mindspore.writing.body import ARITHMETIC, Body
from dnnbridge.formats.mindspore.writing.text import Text, called
from dnnbridge.graph import Constant, Node, Value

ELEMENTWISE = (
    *ARITHMETIC,
    *(Constant, ops.Greater, ops.Abs, ops.Clip, ops.Erfc, ops.Exp, ops.Expm1, ops.Log, ops.Maximum),
    *(ops.Minimum, ops.Relu, ops.Select, ops.Sigmoid, ops.Sign, ops.Softplus, ops.Sqrt),
    *(ops.Square, ops.Tanh),
)
"""Operations that compute each number from those in the same place."""


class Flow:
    """Writes operations, and moves channels only where an operation needs them elsewhere.

    Layers of MindSpore with windows take and return channels first. What follows them keeps
    channels first as long as it computes element by element.

    Args:
        body: receives the lines; it knows the values with their channels last.

    Attributes:
        first: the source of each value that has its channels first.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        self.first: dict[Value, Text] = {}

    def last(self, value: Value) -> Text:
        """Return a value with its channels last, after a line that moves them there."""
        if value not in self.body.known:
            name = self.body.names.of(f"{self.first[value]}_last")
            axes = (0, *range(2, value.rank), 1)
            self.body.line(f"{name} = {called('ops.transpose', self.first[value], axes)}")
            self.body.known[value] = Text(name)
        return self.body.known[value]

    def channels_first(self, value: Value) -> Text:
        """Return a value with its channels first, after a line that moves them there."""
        if value not in self.first:
            name = self.body.names.of(f"{self.body.named(value)}_first")
            axes = (0, value.rank - 1, *range(1, value.rank - 1))
            self.body.line(f"{name} = {called('ops.transpose', self.body.known[value], axes)}")
            self.first[value] = Text(name)
        return self.first[value]

    def alias(self, outer: Value, inner: Value) -> None:
        if inner in self.body.known:
            self.body.known[outer] = self.body.known[inner]
        if inner in self.first:
            self.first[outer] = self.first[inner]

    def write(self, nodes: Sequence[Node], outputs: Sequence[Value]) -> None:
        """Write operations, with channels first where all their operands have them first."""
        needed = _needed(nodes, outputs)
        read = {v for n in needed for v in n.inputs} - {v for n in needed for v in n.outputs}
        if self.only_first(read):
            shapes = {v.shape for n in needed for v in (*n.inputs, *n.outputs) if v.rank}
            if all(isinstance(n.op, ELEMENTWISE) for n in needed) and len(shapes) == 1:
                self._turned(needed, read, outputs)
                return
            moved = [_with_channels_first(n) for n in needed]
            if len(moved) == 1 and moved[0] is not None:
                self._turned([moved[0]], read, outputs)
                return
        for value in read:
            if value in self.first:
                self.last(value)
        self.body.write(needed, outputs)

    def only_first(self, values: Collection[Value]) -> bool:
        """Return whether all have their channels first, and one of them not last as well."""
        known = [v in self.body.known for v in values]
        return all(v in self.first for v in values) and not all(known)

    def _turned(self, nodes: Sequence[Node], read: set[Value], outputs: Sequence[Value]) -> None:
        """Write operations on values with channels first."""
        known = dict(self.body.known)
        self.body.known.update((v, self.first[v]) for v in read)
        self.body.write(nodes, outputs)
        for value in read:
            del self.body.known[value]
        self.body.known.update((v, known[v]) for v in read if v in known)
        for value in outputs:
            if value.rank > 2:
                self.body.named(value)
                self.first[value] = self.body.known.pop(value)


def _needed(nodes: Sequence[Node], outputs: Sequence[Value]) -> list[Node]:
    """Return the nodes that the outputs depend on."""
    wanted, found = set(outputs), []
    for node in reversed(nodes):
        if any(value in wanted for value in node.outputs):
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]


def _with_channels_first(node: Node) -> Node | None:
    """Return a reduction of spatial axes, or a concatenation of channels, for channels first."""
    if isinstance(node.op, ops.ReduceMean | ops.ReduceMax | ops.ReduceSum):
        rank = node.inputs[0].rank
        if node.op.axes == tuple(range(1, rank - 1)) and not node.op.keepdims:
            axes = tuple(axis + 1 for axis in node.op.axes)
            return replace(node, op=replace(node.op, axes=axes))
    if isinstance(node.op, ops.Concat) and node.op.axis == node.outputs[0].rank - 1:
        return replace(node, op=ops.Concat(1))
    return None
