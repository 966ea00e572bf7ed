"""`in_float64`: a program whose real numbers are all float64."""

from __future__ import annotations

from dataclasses import replace

from dnnbridge import ops
from dnnbridge.graph import Constant, ConstantArray, Graph, Node, Op, Value
from dnnbridge.program.program import Function, Program


def in_float64(program: Program) -> Program:
    """Return the same program in float64: inputs, weights, slots and every operation."""
    functions = {name: _function(function) for name, function in program.functions.items()}
    return replace(program, functions=functions, variable_dtype="float64")


def _function(function: Function) -> Function:
    double = _Double()
    graph = double.graph(function.graph)
    state = {double.known[value]: name for value, name in function.state.items()}
    return replace(function, graph=graph, state=state)


class _Double:
    """Rewrites the graphs of a function."""

    def __init__(self) -> None:
        self.known: dict[Value, Value] = {}

    def graph(self, source: Graph) -> Graph:
        inputs = self._values(source.inputs)
        nodes = tuple(made for node in source.nodes for made in self._nodes(node))
        return Graph(source.name, inputs, nodes, self._values(source.outputs))

    def _nodes(self, node: Node) -> list[Node]:
        if not node.inputs or any(v.dtype == "float32" for v in node.inputs) or node.body:
            return [self._node(node)]
        if isinstance(node.op, ops.Cast) or node.outputs[0].dtype != "float32":
            return [self._node(node)]
        (made,) = node.outputs  # 0 and 1, which are exact in float32
        return [node, Node(ops.Cast("float64"), (made,), self._values((made,)), node.path)]

    def _node(self, node: Node) -> Node:
        body = None if node.body is None else self.graph(node.body)
        inputs, outputs = self._values(node.inputs), self._values(node.outputs)
        return Node(_op(node.op), inputs, outputs, node.path, body)

    def _values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(map(self._value, values))

    def _value(self, value: Value) -> Value:
        if value not in self.known:
            real = value.dtype == "float32"
            type = value.type.with_dtype("float64") if real else value.type
            self.known[value] = Value(value.builder, value.name, type) if real else value
        return self.known[value]


def _op(op: Op) -> Op:
    if isinstance(op, ops.Cast | Constant | ConstantArray) and op.dtype == "float32":
        return replace(op, dtype="float64")
    return op
