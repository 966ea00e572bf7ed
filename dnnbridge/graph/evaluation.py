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
"""What each operation is: takes the operation and its operands, and returns the result."""

Structure = Mapping[type[Op], Callable[[Node, list[T]], Sequence[T]]]
"""What each structural operation is: takes the node and its operands, and returns all results.

A graph has `Constant`, `ConstantArray`, `ValueAndGrad` and `Scan`; and `Call` where a backend
claims composites. Another operation that stands here goes before the table.
"""


def evaluate(
    graph: Graph,
    inputs: Sequence[T],
    table: Table[T],
    structure: Structure[T],
    watch: Callable[[Node, dict[Value, T]], None] | None = None,
) -> dict[Value, T]:
    """Return what every value of a flat graph is; `graph.results` picks the outputs.

    Args:
        graph: calls that no backend claims are inlined.
        inputs: one for each input of the graph.
        table: of the operations.
        structure: of the operations with a body, and of constants.
        watch: is shown each node before it is evaluated, and may change the operands.
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
    """Yield what every value in the body of a `Scan` is, step by step; `x[t]` is a slice."""
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
    """Return the results of a `Scan`: the last carries, then what the steps gave, stacked."""
    op, body = cast(Scan, node.op), cast(Graph, node.body)
    rows = [body.results(known) for known in steps(node, operands, run)]
    columns = list(zip(*rows, strict=True))[op.carries :]
    return [*rows[-1][: op.carries], *map(stack, columns)]
