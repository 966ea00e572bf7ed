"""`by_rows`: update only the rows of a table that a step reads.

Rows that a step does not read have gradient 0. Many optimizers leave such rows unchanged, so they
need not be read:

    p = Take(T, x)                      before the derivative
    …, d = ValueAndGrad(…, p)           with respect to the rows, not the table
    g = SumRepeats(d, x)                add the gradients of a row read twice
    p, s = update(p, g, Take(S, x))     the optimizer's equation, applied to the rows
    T, S = PutRows(T, x, p), PutRows(S, x, s)

The result equals the update of the whole table, which the reference computes. Each array has only
one `Take`, as MindSpore copies the array for a second one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dnnbridge import ops
from dnnbridge.graph import (
    BATCH,
    REAL,
    Builder,
    Call,
    Dim,
    Graph,
    Node,
    Value,
    ValueAndGrad,
    inline,
)
from dnnbridge.graph.inline import Claimed
from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.program.program import Function

LEAST = 2**18
"""Smallest number of elements of a table that is updated by rows."""

EXAMPLES = 1024
"""The table must also have more rows than this many examples read.

Otherwise a batch may read most of the table.
"""


@dataclass(frozen=True)
class RowUpdate:
    """The spec of calls that read the rows of a table or update them."""

    optimizer: AbstractOptimizer


@dataclass(frozen=True)
class _Table:
    """A table that can be updated by rows.

    Attributes:
        update: the call of the optimizer.
        inner: the table in the differentiated body.
        gradient: the gradient of the whole table.
        takes: the nodes that read rows of the table in the body.
    """

    update: Node
    inner: Value
    gradient: Value
    takes: tuple[Node, ...]


def by_rows(function: Function, claimed: Claimed, recomputed: Claimed) -> Function:
    """Return the function with tables updated by rows, if that gives the same numbers.

    Args:
        function: the function from core.
        claimed: whether a call stays whole.
        recomputed: whether a call becomes a `Recompute`; a table that it reads is not updated by
            rows.
    """
    graph = function.graph
    replaced: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if isinstance(node.op, ValueAndGrad) and node.body is not None:
            updates = list(_updates(function, node))
            body = inline(node.body, claimed, recomputed) if updates else node.body
            tables = [table for update in updates if (table := _table(node, body, update))]
            if tables:
                replaced |= _rewritten(node, body, tables)
    if not replaced:
        return function
    nodes = tuple(made for node in graph.nodes for made in replaced.get(node, [node]))
    return replace(function, graph=Graph(graph.name, graph.inputs, nodes, graph.outputs))


def _updates(function: Function, derivative: Node) -> Iterator[Node]:
    """Yield updates of large tables whose gradient comes from a node and has no other reader."""
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
            and table.dtype == "float32"  # the type that new nodes are written in
            and table.type.size() >= LEAST
        ):
            yield node


def _table(derivative: Node, body: Graph, update: Node) -> _Table | None:
    """Return the table of an update if the body reads it only by rows, or None."""
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
    parts = [_split(node.inputs[1].shape) for node in users]
    if len({batch for batch, _ in parts}) > 1:
        return None
    read = sum(size for _, size in parts) * (EXAMPLES if parts[0][0] else 1)
    return _Table(update, inner, gradient, tuple(users)) if _rows(inner) > read else None


def _origin(body: Graph, index: Value) -> list[Node] | None:
    """Return the nodes that compute an index, or None if one has float values or a body.

    The returned nodes can run before the derivative.
    """
    wanted, found = {index}, []
    for node in reversed(body.nodes):
        if not wanted.isdisjoint(node.outputs):
            if node.body is not None or any(v.dtype in REAL for v in node.outputs):
                return None
            found.append(node)
            wanted.update(node.inputs)
    return found[::-1]


def _rewritten(derivative: Node, body: Graph, tables: Sequence[_Table]) -> dict[Node, list[Node]]:
    """Return the nodes that replace a derivative and the updates of its tables."""
    outer = dict(zip(body.inputs, derivative.inputs, strict=True))
    before: list[Node] = []
    read = {}
    for table in tables:
        indices = [_hoisted(body, take.inputs[1], outer, before) for take in table.takes]
        read[table.inner] = _read(table, indices)
        before.append(read[table.inner])
        outer |= {
            take.outputs[0]: rows
            for take, rows in zip(table.takes, read[table.inner].outputs[3:], strict=True)
        }
    node, gradients = _by_takes(derivative, body, tables, outer)
    replaced = {derivative: [*before, node]}
    for table in tables:
        given = [gradients[take] for take in table.takes]
        replaced[table.update] = [_row_update(table.update, read[table.inner], given)]
    return replaced


def _hoisted(body: Graph, index: Value, outer: dict[Value, Value], before: list[Node]) -> Value:
    """Copy the computation of an index before the derivative and return the index there."""
    for node in _origin(body, index) or []:
        if node.outputs[0] not in outer:
            outer |= {value: _like(value) for value in node.outputs}
            inputs, outputs = ([outer[v] for v in each] for each in (node.inputs, node.outputs))
            before.append(Node(node.op, tuple(inputs), tuple(outputs), node.path))
    return outer[index]


def _by_takes(
    derivative: Node, body: Graph, tables: Sequence[_Table], outer: Mapping[Value, Value]
) -> tuple[Node, dict[Node, Value]]:
    """Return the derivative with respect to rows, and the gradient of each `Take`."""
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


def _read(table: _Table, given: Sequence[Value]) -> Node:
    """Write the call that reads a table.

    It returns clamped indices, whether each index was in range, the rows there, and the value of
    each `Take`.
    """
    builder = Builder("read", table.takes[0].path)
    array = builder.input("table", table.inner.type)
    indices = [builder.input(f"index{i}", value.type) for i, value in enumerate(given)]
    x = _joined(indices, ())
    inside = _within(x, _rows(array) - 1)
    known = ops.reshape(ops.equal(x, inside), (*x.shape, *(1,) * (array.rank - 1)))
    p = ops.take(array, inside)
    marked = ops.where(known, p, math.nan)
    made = [inside, known, p, *_parted(marked, [take.outputs[0] for take in table.takes], x.rank)]
    body = builder.graph(made)
    inputs, outputs = (table.update.inputs[0], *given), tuple(map(_like, made))
    return Node(Call(RowUpdate(_optimizer(table.update))), inputs, outputs, builder.path, body)


def _row_update(update: Node, read: Node, gradients: Sequence[Value]) -> Node:
    """Write the update of a table from the read rows and their gradients.

    An index out of range counts as the clamped index with a gradient of 0.
    """
    optimizer, builder = _optimizer(update), Builder("rows", update.path)
    count = len(update.outputs) - 1
    outer = (update.inputs[0], *update.inputs[2:], *read.outputs[:3], *gradients)
    given = [builder.input(value.name, value.type) for value in outer]
    arrays, scalars = given[: 1 + count], given[1 + count : len(update.inputs) - 1]
    inside, known, p, *parts = given[len(update.inputs) - 1 :]
    d = ops.where(known, _joined(parts, p.shape[inside.rank :]), 0.0)
    g = ops.sum_repeats(d, inside, _rows(arrays[0]))
    named = optimizer.named([*(ops.take(each, inside) for each in arrays[1:]), *scalars])
    slots = dict(list(named.items())[:count])
    new, made = optimizer.update_rows(p, g, slots, named, arrays[0].rank - 1)
    changed = zip(arrays, [new, *(made[name] for name in slots)], strict=True)
    body = builder.graph([ops.put_rows(each, inside, rows) for each, rows in changed])
    return Node(Call(RowUpdate(optimizer)), outer, update.outputs, update.path, body)


def _optimizer(update: Node) -> AbstractOptimizer:
    assert isinstance(update.op, Call)
    assert isinstance(update.op.spec, AbstractOptimizer)
    return update.op.spec


def _rows(table: Value) -> int:
    (size, *_) = table.shape
    assert size is not None
    return size


def _joined(parts: Sequence[Value], row: tuple[Dim, ...]) -> Value:
    """Concatenate values, flattened before the row axes to (batch, n), or to (n,) without batch."""
    flat = []
    for part in parts:
        batch, size = _split(part.shape[: part.rank - len(row)])
        flat.append(ops.reshape(part, (*batch, size, *row)))
    return flat[0] if len(flat) == 1 else ops.concat(flat, len(batch))


def _parted(joined: Value, likes: Sequence[Value], rank: int) -> list[Value]:
    """Split a result of `_joined` into values shaped like `likes`; `rank` is that of its index."""
    if len(likes) == 1:
        return [ops.reshape(joined, likes[0].shape)]
    row, start, made = joined.shape[rank:], 0, []
    for like in likes:
        batch, size = _split(like.shape[: like.rank - len(row)])
        starts = (*(0 for _ in batch), start, *(0 for _ in row))
        part = ops.slice(joined, starts, (*batch, size, *row))
        made.append(ops.reshape(part, like.shape))
        start += size
    return made


def _split(shape: tuple[Dim, ...]) -> tuple[tuple[Dim, ...], int]:
    """Return the batch axis, if there is one, and the product of all other sizes."""
    batch = shape[:1] if shape[:1] == (BATCH,) else ()
    return batch, math.prod(size for size in shape[len(batch) :] if size is not None)


def _within(x: Value, last: int) -> Value:
    below = ops.where(x > last, last, x)
    return ops.where(below < 0, 0, below)


def _like(value: Value, name: str = "") -> Value:
    """Return a new value of the same type."""
    return Value(value.builder, name or value.name, value.type)
