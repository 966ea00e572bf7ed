"""`with_own_statistics`: a BatchNormalization whose workers each normalise with their own rows.

This is what the frameworks' layers do by default. The statistics of fewer examples are less exact,
and the numbers depend on the number of workers. No worker waits for another one in the layer.

    mean, variance                      those of the rows of a worker
    moving mean and variance            those of the workers, each by its share of the examples, so
                                        that they are the same everywhere
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dnnbridge import ops
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.graph import BATCH, Call, Constant, Graph, Node, Op, TensorType, Value, inline

SCALAR = TensorType(())


def with_own_statistics(node: Node, moved: Collection[Value]) -> Node:
    """Return the call of a normalisation in which workers meet only to average what is kept.

    Args:
        node: the call.
        moved: inputs of its body that a surrounding derivative reaches.
    """
    assert node.body is not None
    assert isinstance(node.op, Call)
    names = {value.name: value for value in node.body.inputs}
    body = _Own(inline(node.body), names[MASK], names[NORMALIZER], moved).graph()
    return replace(node, op=replace(node.op, exposed=True), body=body)


class _Own:
    """Rewrites the body of a normalisation.

    Args:
        source: its flat body.
        mask: 1 for each row that counts.
        normalizer: 1 / the number of rows that count on all workers.
        moved: inputs that a surrounding derivative reaches.
    """

    def __init__(
        self, source: Graph, mask: Value, normalizer: Value, moved: Collection[Value]
    ) -> None:
        self.source, self.moved, self.path = source, set(moved), source.nodes[0].path
        self.nodes: list[Node] = []
        self._met: dict[Value, Value] = {}
        self._own: set[Value] = set()
        count = self._new(ops.ReduceSum((0,)), mask, type=SCALAR)
        one = self._new(Constant(1.0), like=mask, type=SCALAR)
        self.share = self._new(ops.Mul(), count, normalizer)
        some = self._new(ops.Maximum(), count, one)
        mine = self._new(ops.Div(), one, some)
        self._own.update((count, self.share, mine))
        self.known = {value: value for value in source.inputs} | {normalizer: mine}

    def graph(self) -> Graph:
        """Return the body for one worker."""
        for node in self.source.nodes:
            inputs = [self.known[value] for value in node.inputs]
            if any(map(self._differs, inputs)):
                pairs = zip(inputs, node.inputs, strict=True)
                inputs = [self._meeting(x, value) for x, value in pairs]
                self._own.update(node.outputs)
            if not self.moved.isdisjoint(node.inputs):
                self.moved.update(node.outputs)
            self.nodes.append(replace(node, inputs=tuple(inputs)))
            self.known.update((value, value) for value in node.outputs)
        outputs = tuple(self._same(self.known[value]) for value in self.source.outputs)
        return Graph(self.source.name, self.source.inputs, tuple(self.nodes), outputs)

    def _differs(self, value: Value) -> bool:
        """Return whether workers have different numbers."""
        return BATCH in value.shape or value in self._own

    def _meeting(self, x: Value, value: Value) -> Value:
        """Return an operand of what differs, which gives a part of its gradient."""
        if self._differs(x) or value not in self.moved:
            return x
        if x not in self._met:
            self._met[x] = self._new(ops.AllReduceGradient(), x)
        return self._met[x]

    def _same(self, x: Value) -> Value:
        """Return rows as they are, and the average of what workers keep."""
        if BATCH in x.shape or x not in self._own:
            return x
        return self._new(ops.AllReduceSum(), self._new(ops.Mul(), x, self.share, type=x.type))

    def _new(
        self, op: Op, *inputs: Value, like: Value | None = None, type: TensorType | None = None
    ) -> Value:
        source = inputs[0] if like is None else like
        name = f"{source.name}_own_{len(self.nodes)}"
        made = Value(source.builder, name, type or source.type)
        self.nodes.append(Node(op, inputs, (made,), self.path))
        return made
