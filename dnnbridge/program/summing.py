"""`summed_together`: sum several values over all workers with few operations.

Each sum over workers costs the time of a message, however small it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnnbridge import ops
from dnnbridge.graph import Node, TensorType, Value

SMALL = 2**16
"""Most elements of a value that is summed together with others; copying more takes longer."""


def summed_together(values: Sequence[Value], path: str) -> tuple[list[Node], dict[Value, Value]]:
    """Return the nodes that sum values over all workers, and the sum of each value."""
    small = [value for value in values if value.type.size() <= SMALL]
    large = [value for value in values if value.type.size() > SMALL]
    if len(small) < 2:
        small, large = [], list(values)
    nodes: list[Node] = []
    sums: dict[Value, Value] = {}
    for value in large:
        sums[value] = _like(value, value.type, "sum")
        nodes.append(Node(ops.AllReduceSum(), (value,), (sums[value],), path))
    if small:
        nodes += _joined(small, sums, path)
    return nodes, sums


def _joined(values: Sequence[Value], sums: dict[Value, Value], path: str) -> Iterator[Node]:
    """Yield the nodes of one sum over a row of all numbers of the values."""
    flat = [_like(value, TensorType((value.type.size(),)), "flat") for value in values]
    for value, row in zip(values, flat, strict=True):
        yield Node(ops.Reshape(row.shape), (value,), (row,), path)
    total = sum(row.type.size() for row in flat)
    joined, summed = (_like(values[0], TensorType((total,)), name) for name in ("all", "sums"))
    yield Node(ops.Concat(0), tuple(flat), (joined,), path)
    yield Node(ops.AllReduceSum(), (joined,), (summed,), path)
    start = 0
    for value, row in zip(values, flat, strict=True):
        part, sums[value] = _like(value, row.type, "part"), _like(value, value.type, "sum")
        size = row.type.size()
        yield Node(ops.Slice((start,), (size,)), (summed,), (part,), path)
        yield Node(ops.Reshape(value.shape), (part,), (sums[value],), path)
        start += size


def _like(value: Value, type: TensorType, name: str) -> Value:
    return Value(value.builder, f"{value.name}_{name}", type)
