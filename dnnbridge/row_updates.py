"""`by_rows`: a step in which an optimizer touches only those rows of a table that were read.

Where the gradient of a row is 0 and the optimizer leaves such a row alone, it need not be read:

    rows = Take(T, x)                          before the derivative
    …, d = ValueAndGrad(…, rows)               by the rows in place of the table
    g = SumRepeats(d, x)                       a row read twice has the sum of both
    p, s = update(Take(T, x), g, Take(S, x))   the equation of the optimizer, of rows
    T, S = PutRows(T, x, p), PutRows(S, x, s)

The numbers are those of the whole table, which the reference computes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dnnbridge import ops
from dnnbridge.graph import BATCH, Builder, Call, Graph, Node, Value, ValueAndGrad, inline
from dnnbridge.graph.inline import Claimed
from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.program import Function

LEAST = 2**20
"""Elements of a table from which on its rows are updated one by one: for fewer it gains little."""


@dataclass(frozen=True)
class RowUpdate:
    """What stands in a graph for the update of a table by its rows; its body is the equation."""

    optimizer: AbstractOptimizer


@dataclass(frozen=True)
class _Table:
    """A table whose rows can be updated by themselves.

    Attributes:
        update: the call of the optimizer.
        inner: the table in the body that is differentiated.
        gradient: of the whole table.
        takes: what reads rows of it in the body.
    """

    update: Node
    inner: Value
    gradient: Value
    takes: tuple[Node, ...]


def by_rows(function: Function, claimed: Claimed) -> Function:
    """Return the function with tables updated by rows, wherever that gives the same numbers."""
    graph = function.graph
    replaced: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if isinstance(node.op, ValueAndGrad) and node.body is not None:
            updates = list(_updates(function, node))
            body = inline(node.body, claimed) if updates else node.body
            tables = [table for update in updates if (table := _table(node, body, update))]
            if tables:
                replaced |= _rewritten(node, body, tables)
    if not replaced:
        return function
    nodes = tuple(made for node in graph.nodes for made in replaced.get(node, [node]))
    return replace(function, graph=Graph(graph.name, graph.inputs, nodes, graph.outputs))


def _updates(function: Function, derivative: Node) -> Iterator[Node]:
    """Yield the updates of large tables whose gradient comes from a derivative and goes nowhere."""
    graph = function.graph
    uses = Counter(value for node in graph.nodes for value in node.inputs)
    uses.update(graph.outputs)
    written = dict(zip(graph.outputs[len(function.results) :], function.writes, strict=True))
    for node in graph.nodes:
        spec = node.op.spec if isinstance(node.op, Call) else None
        if not isinstance(spec, AbstractOptimizer) or not spec.leaves_rows:
            continue
        table, gradient, *rest = node.inputs
        slots = rest[: len(node.outputs) - 1]
        arrays = [function.state.get(value) for value in (table, *slots)]
        if (
            [written.get(value) for value in node.outputs] == arrays
            and all(value.type == table.type for value in slots)
            and all(uses[value] == 1 for value in (gradient, *slots, *node.outputs))
            and uses[table] == 2
            and gradient in derivative.outputs
            and table in derivative.inputs
            and table.rank
            and table.type.size() >= LEAST
        ):
            yield node


def _table(derivative: Node, body: Graph, update: Node) -> _Table | None:
    """Return the table of an update if the body takes rows of it, and nothing else of it."""
    place = derivative.inputs.index(update.inputs[0])
    inner = body.inputs[place]
    assert isinstance(derivative.op, ValueAndGrad)
    wrt = derivative.op.wrt
    if place not in wrt:
        return None
    gradient = derivative.outputs[len(body.outputs) + wrt.index(place)]
    users = [node for node in body.nodes if inner in node.inputs]
    if gradient is not update.inputs[1] or inner in body.outputs or not users:
        return None
    for node in users:
        if not isinstance(node.op, ops.Take) or _origin(body, node.inputs[1]) is None:
            return None
    batches = {node.inputs[1].shape[:1] == (BATCH,) for node in users}
    return _Table(update, inner, gradient, tuple(users)) if len(batches) == 1 else None


def _origin(body: Graph, index: Value) -> list[Node] | None:
    """Return the nodes that make an index, if whole numbers alone do; they can stand before."""
    wanted, found = {index}, []
    for node in reversed(body.nodes):
        if not wanted.isdisjoint(node.outputs):
            if node.body is not None or any(v.dtype == "float32" for v in node.outputs):
                return None
            found.append(node)
            wanted.update(node.inputs)
    return found[::-1]


def _rewritten(derivative: Node, body: Graph, tables: Sequence[_Table]) -> dict[Node, list[Node]]:
    """Return the nodes that stand in the places of a derivative and of the updates."""
    outer = dict(zip(body.inputs, derivative.inputs, strict=True))
    takes = {take: table for table in tables for take in table.takes}
    before: list[Node] = []
    for take, table in takes.items():
        index = _hoisted(body, take.inputs[1], outer, before)
        rows = _like(take.outputs[0], "rows")
        before.append(Node(take.op, (table.update.inputs[0], index), (rows,), take.path))
        outer[take.outputs[0]] = rows
    indices = {take: outer[take.inputs[1]] for take in takes}
    node, gradients = _by_takes(derivative, body, tables, outer)
    replaced = {derivative: [*before, node]}
    for table in tables:
        given = [(indices[take], gradients[take]) for take in table.takes]
        replaced[table.update] = [_row_update(table.update, given)]
    return replaced


def _hoisted(body: Graph, index: Value, outer: dict[Value, Value], before: list[Node]) -> Value:
    """Write what makes an index before the derivative, and return the index there."""
    for node in _origin(body, index) or []:
        if node.outputs[0] not in outer:
            outer |= {value: _like(value) for value in node.outputs}
            inputs, outputs = ([outer[v] for v in each] for each in (node.inputs, node.outputs))
            before.append(Node(node.op, tuple(inputs), tuple(outputs), node.path))
    return outer[index]


def _by_takes(
    derivative: Node, body: Graph, tables: Sequence[_Table], outer: Mapping[Value, Value]
) -> tuple[Node, dict[Node, Value]]:
    """Return the derivative by rows in place of tables, and the gradient of each `Take`."""
    assert isinstance(derivative.op, ValueAndGrad)
    takes = [take for table in tables for take in table.takes]
    gone = {table.inner for table in tables}
    kept = [value for value in body.inputs if value not in gone]
    inputs = (*kept, *(take.outputs[0] for take in takes))
    nodes = tuple(node for node in body.nodes if node not in takes)
    wanted = [body.inputs[i] for i in derivative.op.wrt if body.inputs[i] not in gone]
    wrt = (*(kept.index(v) for v in wanted), *range(len(kept), len(inputs)))
    count = len(body.outputs)
    lost = {table.gradient for table in tables}
    outputs = [value for value in derivative.outputs[count:] if value not in lost]
    gradients = {take: _like(take.outputs[0], "gradient") for take in takes}
    node = Node(
        ValueAndGrad(wrt),
        tuple(outer[value] for value in inputs),
        (*derivative.outputs[:count], *outputs, *gradients.values()),
        derivative.path,
        Graph(body.name, inputs, nodes, body.outputs),
    )
    return node, gradients


def _row_update(update: Node, given: Sequence[tuple[Value, Value]]) -> Node:
    """Write the update of a table, given the indices and the gradients of what was taken."""
    assert isinstance(update.op, Call)
    optimizer = update.op.spec
    assert isinstance(optimizer, AbstractOptimizer)
    builder = Builder("rows", update.path)
    table, _, *rest = (builder.input(value.name, value.type) for value in update.inputs)
    indices = [builder.input(f"index{i}", x.type) for i, (x, _) in enumerate(given)]
    parts = [builder.input(f"gradient{i}", d.type) for i, (_, d) in enumerate(given)]
    x = _joined(indices, ())
    last = table.type.shape[0] - 1  # type: ignore[operator]
    inside = _within(x, last)
    known = ops.reshape(ops.equal(x, inside), (*x.shape, *(1,) * (table.rank - 1)))
    # What the table lacks counts as a row that it has, with a gradient of 0.
    d = ops.where(known, _joined(parts, table.shape[1:]), 0.0)
    g = ops.sum_repeats(d, inside, last + 1)
    count = len(update.outputs) - 1
    arrays = [table, *rest[:count]]
    p, *slots = (ops.take(each, inside) for each in arrays)
    named = optimizer.named([*slots, *rest[count:]])
    names = list(named)[:count]
    new, made = optimizer.update(p, g, {name: named[name] for name in names}, named)
    changed = [new, *(made[name] for name in names)]
    pairs = zip(arrays, changed, strict=True)
    body = builder.graph([ops.put_rows(each, inside, rows) for each, rows in pairs])
    inputs = (table, *rest, *indices, *parts)
    kept = (update.inputs[0], *update.inputs[2:])
    outer = (*kept, *(x for x, _ in given), *(d for _, d in given))
    body = Graph(body.name, inputs, body.nodes, body.outputs)
    return Node(Call(RowUpdate(optimizer)), outer, update.outputs, update.path, body)


def _joined(parts: Sequence[Value], row: tuple[int | None, ...]) -> Value:
    """Put what is of the same rank one after another: (batch, …) as (batch, n), else as (n,)."""
    flat = []
    for part in parts:
        own = part.shape[: part.rank - len(row)]
        batch = (BATCH,) if own[:1] == (BATCH,) else ()
        size = math.prod(n for n in own[len(batch) :] if n is not None)
        flat.append(ops.reshape(part, (*batch, size, *row)))
    return flat[0] if len(flat) == 1 else ops.concat(flat, len(batch))


def _within(x: Value, last: int) -> Value:
    below = ops.where(x > last, last, x)
    return ops.where(below < 0, 0, below)


def _like(value: Value, name: str = "") -> Value:
    """Return a value of the same type that is another one."""
    return Value(value.builder, name or value.name, value.type)
