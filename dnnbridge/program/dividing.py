"""`divided`: the program of a worker that has only its part of every batch.

A value with a batch axis has the rows of one worker. A value without one is the same on every
worker. So there are three places where workers meet:

    s = AllReduceSum(ReduceSum(x))      where a sum over the batch ends, also of a metric
    y = f(x, AllReduceGradient(w))      where a value that is the same everywhere meets rows, inside
                                        a derivative: each worker has a part of its gradient
    g = AllReduceSum(g)                 the same for a weight that meets nothing else; the
                                        gradients of all such weights are summed together

Losses, batch statistics, gradients and metrics are then those of the whole batch on every worker,
and the updates after them need no change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from dnnbridge import ops
from dnnbridge.errors import DeclaredLimitationError, UnsupportedError
from dnnbridge.graph import BATCH, REAL, Call, Graph, Node, Op, Value, ValueAndGrad
from dnnbridge.layers import BatchNormalization
from dnnbridge.program.own_statistics import with_own_statistics
from dnnbridge.program.program import Function, Program
from dnnbridge.program.summing import summed_together

DIVIDED = ("train", "evaluate")
"""Functions of which each worker runs its part. A prediction has no sum: any worker can run it."""


@lru_cache(maxsize=32)
def divided(program: Program, sync_batch_norm: bool = True) -> Program:
    """Return the program of one of several workers.

    Args:
        program: that of one worker.
        sync_batch_norm: whether each BatchNormalization has the statistics of the whole batch.

    Raises:
        UnsupportedError: something combines examples in a way that is no sum over them.
    """
    if program.carried:
        raise DeclaredLimitationError(
            "states that are carried from batch to batch cannot be divided among workers",
            where=", ".join(program.carried),
            hint="Use stateful=False, or one worker.",
        )
    functions = {name: program.functions[name] for name in program.functions}
    for name in DIVIDED:
        functions[name] = _of_part(functions[name], sync_batch_norm)
    return replace(program, functions=functions)


def _of_part(function: Function, sync: bool) -> Function:
    graph = _Part(function.graph, frozenset(), function.graph.name, sync).graph()
    for name, value in zip(function.results, graph.outputs, strict=False):
        if _is_divided(value):
            raise _no_sum(name, f"a result with a row per example: {value.type}")
    return replace(function, graph=graph, divided=True)


def _is_divided(value: Value) -> bool:
    return BATCH in value.shape


class _Part:
    """Rewrites one graph.

    Args:
        source: the graph of the whole batch.
        moved: inputs that a surrounding derivative reaches.
        path: named in errors.
        sync: whether a BatchNormalization has the statistics of the whole batch.
    """

    def __init__(self, source: Graph, moved: Collection[Value], path: str, sync: bool) -> None:
        self.source, self.moved, self.path, self.sync = source, set(moved), path, sync
        self.known: dict[Value, Value] = {value: value for value in source.inputs}
        self.nodes: list[Node] = []
        self._met: dict[Value, Value] = {}

    def graph(self) -> Graph:
        """Return the graph of a part of the batch."""
        for node in self.source.nodes:
            self._write(node)
        outputs = tuple(self.known[value] for value in self.source.outputs)
        return Graph(self.source.name, self.source.inputs, tuple(self.nodes), outputs)

    def _write(self, node: Node) -> None:
        if not self.moved.isdisjoint(node.inputs):
            self.moved.update(v for v in node.outputs if v.dtype in REAL)
        if isinstance(node.op, ValueAndGrad):
            self._derivative(node)
        elif isinstance(node.op, Call) and not _is_of_rows(node):
            self._call(node)
        elif any(map(_is_divided, node.inputs)) and not all(map(_is_divided, node.outputs)):
            _require_sum(node)
            self._summed(node)
        elif any(map(_is_divided, node.outputs)):
            _require_rows(node)
            for inner in node.body.walk() if node.body is not None else ():
                if any(map(_is_divided, (*inner.inputs, *inner.outputs))):
                    _require_rows(inner)
            self._add(node, tuple(map(self._meeting, node.inputs)))
        else:
            self._add(node, self._inputs(node))

    def _inputs(self, node: Node) -> tuple[Value, ...]:
        return tuple(self.known[value] for value in node.inputs)

    def _add(self, node: Node, inputs: tuple[Value, ...]) -> None:
        self.nodes.append(replace(node, inputs=inputs))
        self.known.update((value, value) for value in node.outputs)

    def _new(self, op: Op, x: Value, path: str) -> Value:
        made = Value(x.builder, f"{x.name}_{type(op).__name__}", x.type)
        self.nodes.append(Node(op, (x,), (made,), path))
        return made

    def _summed(self, node: Node) -> None:
        """Write a sum over the rows of this worker, then over all workers."""
        self._add(node, self._inputs(node))
        (own,) = node.outputs
        self.known[own] = self._new(ops.AllReduceSum(), own, node.path)

    def _meeting(self, value: Value) -> Value:
        """Return an operand for an operation on rows, which gives a part of its gradient."""
        x = self.known[value]
        if _is_divided(value) or value not in self.moved:
            return x
        if x not in self._met:
            self._met[x] = self._new(ops.AllReduceGradient(), x, self.path)
        return self._met[x]

    def _call(self, node: Node) -> None:
        """Write a call in which workers meet; no kernel of a backend computes it."""
        assert node.body is not None
        assert isinstance(node.op, Call)
        pairs = zip(node.inputs, node.body.inputs, strict=True)
        moved = {inner for value, inner in pairs if value in self.moved}
        if not self.sync and isinstance(node.op.spec, BatchNormalization):
            made = with_own_statistics(node, moved).body
        else:
            made = _Part(node.body, moved, node.path, self.sync).graph()
        assert made is not None
        body, met = _without_meeting(made)
        inputs = [
            self._meeting(value) if inner in met else self.known[value]
            for value, inner in zip(node.inputs, body.inputs, strict=True)
        ]
        op = replace(node.op, exposed=node.op.exposed or _has_meeting(body))
        self._add(replace(node, op=op, body=body), tuple(inputs))

    def _derivative(self, node: Node) -> None:
        """Write a derivative, then the sums over all workers that it does not need itself."""
        assert node.body is not None
        assert isinstance(node.op, ValueAndGrad)
        wrt = [node.body.inputs[i] for i in node.op.wrt]
        body, met = _without_meeting(_Part(node.body, wrt, node.path, self.sync).graph())
        body, own = _without_last_sums(body)
        values, gradients = node.outputs[: len(body.outputs)], node.outputs[len(body.outputs) :]
        waiting = [value for value, mine in zip(values, own, strict=True) if mine]
        waiting += [g for g, inner in zip(gradients, wrt, strict=True) if inner in met]
        self._add(replace(node, body=body), self._inputs(node))
        nodes, sums = summed_together(waiting, node.path)
        self.nodes += nodes
        self.known |= sums


def _is_of_rows(node: Node) -> bool:
    """Return whether a call works on rows alone, so that a backend's kernel may compute it."""
    assert node.body is not None
    whole = not any(map(_is_divided, (*node.inputs, *node.outputs)))
    inner = (value for each in node.body.walk() for value in (*each.inputs, *each.outputs))
    if whole:
        return not any(map(_is_divided, inner))
    return all(map(_is_divided, node.outputs)) and not any(
        any(map(_is_divided, each.inputs)) and not all(map(_is_divided, each.outputs))
        for each in node.body.walk()
    )


def _has_meeting(graph: Graph) -> bool:
    return any(
        isinstance(node.op, ops.AllReduceSum | ops.AllReduceGradient) for node in graph.walk()
    )


def _without_meeting(body: Graph) -> tuple[Graph, set[Value]]:
    """Take `AllReduceGradient` from inputs that nothing else reads, and return these inputs.

    The gradient outside of the body is then that of this worker.
    """
    readers: dict[Value, list[Node]] = {}
    for node in body.nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    alone = {
        value: found[0]
        for value in body.inputs
        if (found := readers.get(value, []))
        and len(found) == 1
        and isinstance(found[0].op, ops.AllReduceGradient)
        and value not in body.outputs
    }
    back = {node.outputs[0]: value for value, node in alone.items()}
    gone = set(alone.values())
    return _renamed(body, [node for node in body.nodes if node not in gone], back), set(alone)


def _without_last_sums(body: Graph) -> tuple[Graph, list[bool]]:
    """Take `AllReduceSum` from results but the first that nothing reads; say which had it."""
    read = {value for node in body.nodes for value in node.inputs}
    last = {
        node.outputs[0]: node
        for node in body.nodes
        if isinstance(node.op, ops.AllReduceSum)
        and node.outputs[0] not in read
        and node.outputs[0] in body.outputs[1:]
        and node.outputs[0] is not body.outputs[0]
    }
    gone = set(last.values())
    back = {value: node.inputs[0] for value, node in last.items()}
    nodes = [node for node in body.nodes if node not in gone]
    return _renamed(body, nodes, back), [value in last for value in body.outputs]


def _renamed(body: Graph, nodes: list[Node], back: Mapping[Value, Value]) -> Graph:
    """Return a graph of these nodes that reads other values."""
    made = (replace(node, inputs=tuple(back.get(v, v) for v in node.inputs)) for node in nodes)
    outputs = tuple(back.get(value, value) for value in body.outputs)
    return Graph(body.name, body.inputs, tuple(made), outputs)


def _require_sum(node: Node) -> None:
    """Raise unless a node that reads rows and returns none is a sum over the rows."""
    op = node.op
    over_batch = (
        isinstance(op, ops.ReduceSum)
        or (isinstance(op, ops.MatMul) and node.inputs[0].shape[-1] is BATCH)
        or (isinstance(op, ops.BatchMatMul) and node.inputs[0].shape[-1] is BATCH)
    )
    if not over_batch:
        raise _no_sum(node.path, str(op))


def _require_rows(node: Node) -> None:
    """Raise if a node computes a row of its result from several rows."""
    if not all(map(_is_divided, node.outputs)) or any(map(_mixes, node.outputs)):
        raise _no_sum(node.path, str(node.op))
    op, shape = node.op, node.outputs[0].shape
    if isinstance(op, ops.Take):
        wrong = _is_divided(node.inputs[0])
    elif isinstance(op, ops.Softmax | ops.LogSoftmax | ops.Concat):
        wrong = shape[op.axis] is BATCH
    elif isinstance(op, ops.Slice):
        wrong = any(start for start, size in zip(op.starts, shape, strict=True) if size is BATCH)
    elif isinstance(op, ops.Pad):
        wrong = any(any(p) for p, size in zip(op.pairs, shape, strict=True) if size is BATCH)
    else:
        wrong = False
    if wrong:
        raise _no_sum(node.path, str(op))


def _mixes(value: Value) -> bool:
    """Return whether a value has a number for each pair of rows."""
    return value.shape.count(BATCH) > 1


def _no_sum(where: str, got: str) -> UnsupportedError:
    return UnsupportedError(
        "the examples of a batch are combined in a way that cannot be divided among workers",
        where=where,
        got=got,
        hint="Combine examples with scope.batch_sum or scope.batch_mean, or use one worker.",
    )
