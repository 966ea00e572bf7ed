"""`Node` and `Graph`: the flat program that backends read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dnnbridge.graph.value import Value

if TYPE_CHECKING:
    from dnnbridge.graph.op import Op

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: `outputs = op(*inputs)`.

    `body` is set for four structural operations: a `Call`, which a backend may replace as a
    whole, a `ValueAndGrad`, which a backend differentiates, a `Scan`, which is a loop, and a
    `Recompute`, whose derivative computes the body again.
    """

    op: Op
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    path: str = ""
    body: Graph | None = None

    def flops(self) -> int:
        """Return the number of floating-point operations per example, including the body."""
        if self.body is not None:
            return self.op.times * self.body.flops()
        return self.op.flops(tuple(value.type for value in self.inputs), self.outputs[0].type)

    def __str__(self) -> str:
        outputs = ", ".join(map(repr, self.outputs))
        inputs = ", ".join(value.name for value in self.inputs)
        return f"{outputs} = {self.op}({inputs})" + (f"  # {self.path}" if self.path else "")


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which each value is made before it is used."""

    name: str
    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]
    input_names: dict[str, Value] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_names", {value.name: value for value in self.inputs})

    def results(self, known: Mapping[Value, T]) -> list[T]:
        """Return the outputs, given the computed values."""
        return [known[value] for value in self.outputs]

    def flops(self) -> int:
        """Return how many floating-point operations one example takes."""
        return sum(node.flops() for node in self.nodes)

    def walk(self) -> Iterator[Node]:
        """Yield every node, including those of bodies, each after the nodes of its body."""
        for node in self.nodes:
            if node.body is not None:
                yield from node.body.walk()
            yield node

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}({', '.join(map(repr, self.inputs))}):"
        for node in self.nodes:
            yield f"  {node}"
            if node.body is not None:
                yield from (f"    {line}" for line in node.body._lines())
        yield f"  return {', '.join(value.name for value in self.outputs)}"
