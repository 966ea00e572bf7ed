"""Run a graph in NumPy float64 and differentiate it backwards.

A value of a lower type is computed in float64 and then rounded to a number of its type. So is its
cotangent, once it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np

from dnnbridge import graph as core
from dnnbridge.base.arrays import Array
from dnnbridge.graph import (
    LOWER,
    Constant,
    ConstantArray,
    DType,
    Graph,
    Node,
    Op,
    Scan,
    Table,
    Value,
    ValueAndGrad,
    scan,
    steps,
)
from dnnbridge.ops import RULES
from dnnbridge.ops.rounding import rounded
from dnnbridge.ops.rule import Rule

Environment = dict[Value, Array]

Watch = Callable[[Node, Environment], None]
"""Called with every differentiated node, except those of loops, before its evaluation; may change
the operands."""


Rounding = Callable[[Array, DType], Array]
"""Returns the numbers of a lower type for any numbers."""


@dataclass(frozen=True)
class Interpreter:
    """Evaluates flat graphs and goes back through them, by a rule for each operation.

    Args:
        rules: of every operation.
        watch: sees what is differentiated.
        rounding: rounds numbers to those of a lower type.
    """

    rules: Mapping[type[Op], Rule] = field(default_factory=lambda: RULES)
    watch: Watch | None = None
    rounding: Rounding = rounded

    def evaluate(self, graph: Graph, inputs: Sequence[Array]) -> Environment:
        """Return the number of every value of a graph."""
        return core.evaluate(graph, inputs, self._table, self._structure)

    def outputs_of(self, graph: Graph, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs of a graph."""
        return graph.results(self.evaluate(graph, inputs))

    @cached_property
    def _table(self) -> Table[Array]:
        return {}  # the type of the result matters, which only `_structure` sees

    @cached_property
    def _structure(self) -> dict[type[Op], Callable[[Node, list[Array]], Sequence[Array]]]:
        return {
            **dict.fromkeys(self.rules, self._forward),
            Constant: lambda node, _: [np.asarray(cast(Constant, node.op).value)],
            ConstantArray: lambda node, _: [cast(ConstantArray, node.op).array],
            ValueAndGrad: self._value_and_grad,
            Scan: lambda node, inputs: scan(node, inputs, self._unwatched.evaluate, np.stack),
        }

    @cached_property
    def _unwatched(self) -> Interpreter:
        """What evaluates the steps of loops."""
        return self if self.watch is None else replace(self, watch=None)

    def _forward(self, node: Node, arguments: list[Array]) -> list[Array]:
        made = np.asarray(self.rules[type(node.op)].forward(node.op, *arguments))
        return [self._in_type(node.outputs[0], made)]

    def _in_type(self, value: Value, numbers: Array) -> Array:
        return self.rounding(numbers, value.dtype) if value.dtype in LOWER else numbers

    def _value_and_grad(self, node: Node, inputs: list[Array]) -> list[Array]:
        """Evaluate the body of a `ValueAndGrad` and go back through it."""
        op, body = cast(ValueAndGrad, node.op), cast(Graph, node.body)
        known = core.evaluate(body, inputs, self._table, self._structure, self.watch)
        cotangents = self._backward(body, known, {body.outputs[0]: np.ones(())})
        wrt = [body.inputs[i] for i in op.wrt]
        gradients = [np.asarray(cotangents.get(v, np.zeros_like(known[v]))) for v in wrt]
        return body.results(known) + gradients

    def _backward(self, graph: Graph, known: Environment, cotangents: Environment) -> Environment:
        """Return the cotangents of the inputs, given those of the outputs; zeros are left out."""
        found = dict(cotangents)
        for node in reversed(graph.nodes):
            given = [self._popped(found, value) for value in node.outputs]
            if not node.inputs or all(each is None for each in given):
                continue
            for value, share in zip(node.inputs, self._shares(node, known, given), strict=True):
                if share is not None:
                    found[value] = found[value] + share if value in found else share
        return found

    def _popped(self, found: Environment, value: Value) -> Array | None:
        """Take out the cotangent of a value, as a number of the type of the value."""
        whole = found.pop(value, None)
        return None if whole is None else self._in_type(value, whole)

    def _shares(
        self, node: Node, known: Environment, given: list[Array | None]
    ) -> Sequence[Array | None]:
        """Return a cotangent for every input of a node."""
        arguments = tuple(known[value] for value in node.inputs)
        if isinstance(node.op, Scan):
            full = [
                np.zeros_like(known[value]) if each is None else each
                for value, each in zip(node.outputs, given, strict=True)
            ]
            return self._scan_vjp(node, arguments, full)
        (cotangent,) = given
        rule = self.rules[type(node.op)]
        return rule.vjp(node.op, arguments, known[node.outputs[0]], cotangent)  # type: ignore[arg-type]

    def _scan_vjp(
        self, node: Node, inputs: Sequence[Array], cotangents: Sequence[Array]
    ) -> list[Array | None]:
        """Go through the steps again, from the last one to the first."""
        op, body = cast(Scan, node.op), cast(Graph, node.body)
        shares: list[Array | None] = [
            np.zeros(x.shape) if x.dtype.kind == "f" else None for x in inputs
        ]
        carried, end = list(cotangents[: op.carries]), op.carries + op.sequences
        for t, known in reversed(list(enumerate(steps(node, inputs, self._unwatched.evaluate)))):
            found: Environment = {}
            made = [*carried, *(each[t] for each in cotangents[op.carries :])]
            for value, cotangent in zip(body.outputs, made, strict=True):
                found[value] = found[value] + cotangent if value in found else cotangent
            found = self._backward(body, known, found)
            for i, value in enumerate(body.inputs):
                share = shares[i]
                if share is None or value not in found:
                    continue
                if i >= end:
                    share += found[value]
                elif i >= op.carries:
                    share[t] = found[value]
            carried = [found.get(v, np.zeros_like(known[v])) for v in body.inputs[: op.carries]]
        shares[: op.carries] = carried
        return shares
