"""Evaluate a flat graph: the loop over nodes that eager and tracing backends share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.op import Op
from dnnbridge.graph.structure import Scan
from dnnbridge.graph.value import Value

T = TypeVar("T")

Table = Mapping[type[Op], Callable[..., T]]
"""The function of each operation: takes the operation and its operands, returns the result."""

Structure = Mapping[type[Op], Callable[[Node, list[T]], Sequence[T]]]
"""The function of each structural operation: takes the node and its operands, returns all results.

A graph has `Constant`, `ConstantArray`, `ValueAndGrad` and `Scan`; and `Call` where a backend
claims composites. An entry here for any other operation takes precedence over the table.
"""


def evaluate(
    graph: Graph,
    inputs: Sequence[T],
    table: Table[T],
    structure: Structure[T],
    watch: Callable[[Node, dict[Value, T]], None] | None = None,
) -> dict[Value, T]:
    """Evaluate every value of a flat graph; `graph.results` picks the outputs.

    Args:
        graph: calls that no backend claims are inlined.
        inputs: one for each input of the graph.
        table: functions of the operations.
        structure: functions of the operations with a body, and of constants.
        watch: called with each node before its evaluation; may change the operands.
    """
    known = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        if watch is not None:
            watch(node, known)
        operands = [known[value] for value in node.inputs]
        kind = type(node.op)
        results: Sequence[T]
        if kind in structure:
            results = structure[kind](node, operands)
        else:
            results = (table[kind](node.op, *operands),)
        known.update(zip(node.outputs, results, strict=True))
    return known


Run = Callable[[Graph, list[T]], dict[Value, T]]
"""Evaluates the body of a node."""


def steps(node: Node, operands: Sequence[T], run: Run[T]) -> Iterator[dict[Value, T]]:
    """Yield all values in the body of a `Scan`, step by step; `x[t]` is a slice."""
    op, body = cast(Scan, node.op), cast(Graph, node.body)
    end = op.carries + op.sequences
    carries, sequences = list(operands[: op.carries]), operands[op.carries : end]
    for t in range(op.length):
        slices = [each[t] for each in sequences]  # type: ignore[index]
        known = run(body, [*carries, *slices, *operands[end:]])
        carries = body.results(known)[: op.carries]
        yield known


def scan(
    node: Node, operands: Sequence[T], run: Run[T], stack: Callable[[Sequence[T]], T]
) -> list[T]:
    """Return the results of a `Scan`: the last carries, then the stacked results of the steps."""
    op, body = cast(Scan, node.op), cast(Graph, node.body)
    rows = [body.results(known) for known in steps(node, operands, run)]
    columns = list(zip(*rows, strict=True))[op.carries :]
    return [*rows[-1][: op.carries], *map(stack, columns)]
