"""`Builder`: records nodes, infers types, and lifts outer values into bodies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.messages import shorten
from dnnbridge.errors import DnnbridgeError, DTypeError, SpecError
from dnnbridge.graph.exposing import Origin, expose, origin
from dnnbridge.graph.node import Graph, Node
from dnnbridge.graph.op import Op
from dnnbridge.graph.structure import (
    Call,
    Constant,
    ConstantArray,
    Scan,
    ValueAndGrad,
    slice_type,
)
from dnnbridge.graph.types import DType, TensorType
from dnnbridge.graph.value import Operand, Value
from dnnbridge.specs.limits import NODES

Body = Callable[["Builder", tuple[Value, ...]], Sequence[Value]]
"""Writes a body: given its builder and its inputs, returns its outputs."""


class Builder:
    """Collects the nodes of one graph.

    Args:
        name: the graph's name, for printing.
        path: layer path, put into nodes and in front of errors.
        parent: the builder of the surrounding graph. A value of it that is used here becomes an
            input of this graph.
    """

    def __init__(self, name: str, path: str = "", parent: Builder | None = None) -> None:
        self.name, self.path, self.parent = name, path, parent
        self.inputs: list[Value] = []
        self.captured: dict[Value, Value] = {}
        self.nodes: list[Node] = []
        self._depth: int = parent._depth + 1 if parent else 0
        self._numbers: Iterator[int] = parent._numbers if parent else itertools.count()

    def input(self, name: str, type: TensorType) -> Value:
        """Add an input of the graph."""
        value = Value(self, name, type)
        self.inputs.append(value)
        return value

    def add(self, op: Op, *inputs: Operand) -> Value:
        """Record an operation with one output and return that output.

        If it uses values of this graph and of a body inside it, it belongs to the body.
        """
        builders = [value.builder for value in inputs if isinstance(value, Value)]
        inner = max(builders, key=lambda builder: builder._depth, default=self)
        if inner._depth > self._depth:
            return inner.add(op, *inputs)
        dtype = next((v.dtype for v in inputs if isinstance(v, Value) and v.dtype != "bool"), None)
        values = (
            self.local(v) if isinstance(v, Value) else self._constant(v, dtype) for v in inputs
        )
        return self._record(op, tuple(values), None)[0]

    def constant(self, array: Any) -> Value:
        """Record an array of numbers as part of the graph."""
        return self._record(ConstantArray.of(array), (), None)[0]

    def call(self, spec: object, path: str, inputs: Sequence[Value], write: Body) -> list[Value]:
        """Record what `write` emits as the body of a `Call` of `spec`."""
        body = Builder(type(spec).__name__, path, parent=self)
        outputs = write(body, tuple(body.input(v.name, v.type) for v in inputs))
        graph = body.graph(outputs)
        arguments = (*inputs, *body.captured)
        return self._record(Call(spec), tuple(map(self.local, arguments)), graph, path)

    def value_and_grad(
        self, name: str, inputs: Sequence[Value], write: Body, wrt: Callable[[Value], bool]
    ) -> tuple[list[Value], dict[Value, Value]]:
        """Differentiate the first output of a body by the inputs that `wrt` accepts.

        Returns:
            The outputs of the body, and the gradient of each accepted value of this graph.
        """
        body = Builder(name, self.path, parent=self)
        graph = body.graph(write(body, tuple(map(body.local, inputs))))
        arguments = tuple(map(self.local, body.captured))
        positions = tuple(i for i, value in enumerate(arguments) if wrt(value))
        results = self._record(ValueAndGrad(positions), arguments, graph)
        gradients = results[len(graph.outputs) :]
        sources = [arguments[i] for i in positions]
        return results[: len(graph.outputs)], dict(zip(sources, gradients, strict=True))

    def scan(
        self, carries: Sequence[Value], sequences: Sequence[Value], length: int, write: Body
    ) -> list[Value]:
        """Record a loop of `length` steps whose body takes carries and slices of the sequences.

        Returns:
            The carries after the last step, then the stacked results of the steps.
        """
        body = Builder("scan", self.path, parent=self)
        given = [body.input(value.name, value.type) for value in carries]
        for value in sequences:
            given.append(body.input(value.name, slice_type(value.type, length)))
        graph = body.graph(write(body, tuple(given)))
        arguments = (*carries, *sequences, *body.captured)
        op = Scan(len(carries), len(sequences), length)
        return self._record(op, tuple(map(self.local, arguments)), graph)

    def graph(self, outputs: Sequence[Value]) -> Graph:
        """Return the recorded graph."""
        return Graph(
            self.name, tuple(self.inputs), tuple(self.nodes), tuple(map(self.local, outputs))
        )

    def local(self, value: Value) -> Value:
        """Return the value as one of this graph: an outer one becomes an input."""
        if value.builder is self:
            return value
        if value not in self.captured:
            if self.parent is None:
                raise DnnbridgeError(
                    "a value of another graph was used",
                    where=self.path or self.name,
                    got=repr(value),
                    hint="In emit(), use only its arguments and what its scope returns.",
                )
            self.parent.local(value)
            self.captured[value] = self.input(value.name, value.type)
        return self.captured[value]

    def origin(self, value: Value) -> Origin | None:
        """Return the operation that made a value of this graph, also in calls; None for inputs."""
        found = origin(self.nodes, value)
        return None if isinstance(found, Value) else found

    def behind(self, value: Value) -> Value:
        """Return the first input of that operation as a value of this graph."""
        return expose(self.nodes, value, self._value)

    def _value(self, type: TensorType) -> Value:
        return Value(self, f"v{next(self._numbers)}", type)

    def _constant(self, number: float, dtype: DType | None) -> Value:
        """Record a number with the dtype of the other operand."""
        if isinstance(number, bool) or not isinstance(number, (int, float, np.number)):
            raise DTypeError(
                "an operand is neither a value nor a number",
                where=self.path,
                got=shorten(number),
                hint="Declare arrays with scope.parameter; write the equation over values.",
            )
        if dtype != "int32":
            return self._record(Constant(float(number)), (), None)[0]
        if number != int(number):
            raise DTypeError("an int32 value needs an integer", where=self.path, got=str(number))
        return self._record(Constant(int(number), "int32"), (), None)[0]

    def _record(
        self, op: Op, inputs: tuple[Value, ...], body: Graph | None, path: str = ""
    ) -> list[Value]:
        if len(self.nodes) >= NODES:
            raise SpecError(
                "the model has too many operations",
                where=self.path,
                got=f"more than {NODES:,}",
                hint="Make its sizes smaller.",
            )
        try:
            types = op.infer_with(body, tuple(value.type for value in inputs))
        except DnnbridgeError as error:
            raise error.at(self.path) if self.path else error from None
        outputs = tuple(map(self._value, types))
        self.nodes.append(Node(op, inputs, outputs, path or self.path, body))
        return list(outputs)
