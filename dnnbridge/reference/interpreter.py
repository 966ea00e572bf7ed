"""Run a graph in NumPy float64 and differentiate it backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import Constant, ConstantArray, Graph, Node, Scan, Value, ValueAndGrad
from dnnbridge.reference import convolution, elementwise, pooling, reductions, shapes

RULES = elementwise.RULES | reductions.RULES | shapes.RULES | convolution.RULES | pooling.RULES

Environment = dict[Value, Array]

Watch = Callable[[Node, Environment], None]
"""Is shown every node that is differentiated, but for those of loops, before it is evaluated, and
may change the numbers that it is given."""


def evaluate(graph: Graph, inputs: Sequence[Array], watch: Watch | None = None) -> Environment:
    """Return the number of every value of a flat graph."""
    return _evaluate(graph, inputs, None, watch)


def _evaluate(
    graph: Graph, inputs: Sequence[Array], shown: Watch | None = None, below: Watch | None = None
) -> Environment:
    """Evaluate; `shown` sees the nodes of this graph, `below` those that are differentiated."""
    known: Environment = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        if shown is not None:
            shown(node, known)
        arguments = [known[value] for value in node.inputs]
        results: Sequence[Any]
        if isinstance(node.op, Constant):
            results = [node.op.value]
        elif isinstance(node.op, ConstantArray):
            results = [node.op.array]
        elif isinstance(node.op, ValueAndGrad):
            assert node.body is not None
            results = _value_and_grad(node.op, node.body, arguments, below)
        elif isinstance(node.op, Scan):
            assert node.body is not None
            results = _scan(node.op, node.body, arguments)
        else:
            results = [RULES[type(node.op)].forward(node.op, *arguments)]
        known.update((v, np.asarray(r)) for v, r in zip(node.outputs, results, strict=True))
    return known


def backward(graph: Graph, known: Environment, cotangents: Environment) -> Environment:
    """Return the cotangents of the inputs, given those of the outputs; zeros are left out."""
    found = dict(cotangents)
    for node in reversed(graph.nodes):
        given = [found.pop(value, None) for value in node.outputs]
        if not node.inputs or all(each is None for each in given):
            continue
        for value, share in zip(node.inputs, _shares(node, known, given), strict=True):
            if share is not None:
                found[value] = found[value] + share if value in found else share
    return found


def _shares(node: Node, known: Environment, given: list[Array | None]) -> Sequence[Array | None]:
    """Return a cotangent for every input of a node."""
    arguments = tuple(known[value] for value in node.inputs)
    if isinstance(node.op, Scan):
        assert node.body is not None
        full = [
            np.zeros_like(known[value]) if each is None else each
            for value, each in zip(node.outputs, given, strict=True)
        ]
        return _scan_vjp(node.op, node.body, arguments, full)
    (cotangent,) = given
    rule = RULES[type(node.op)]
    return rule.vjp(node.op, arguments, known[node.outputs[0]], cotangent)  # type: ignore[arg-type]


def _value_and_grad(
    op: ValueAndGrad, body: Graph, inputs: Sequence[Array], watch: Watch | None
) -> list[Array]:
    known = _evaluate(body, inputs, watch)
    cotangents = backward(body, known, {body.outputs[0]: np.ones(())})
    wrt = [body.inputs[i] for i in op.wrt]
    gradients = [np.asarray(cotangents.get(v, np.zeros_like(known[v]))) for v in wrt]
    return [known[value] for value in body.outputs] + gradients


def _steps(op: Scan, body: Graph, inputs: Sequence[Array]) -> Iterator[Environment]:
    """Yield the numbers of every step."""
    end = op.carries + op.sequences
    carries, sequences, captured = inputs[: op.carries], inputs[op.carries : end], inputs[end:]
    for t in range(op.length):
        known = evaluate(body, [*carries, *(each[t] for each in sequences), *captured])
        carries = [known[value] for value in body.outputs[: op.carries]]
        yield known


def _scan(op: Scan, body: Graph, inputs: Sequence[Array]) -> list[Array]:
    rows = [[known[value] for value in body.outputs] for known in _steps(op, body, inputs)]
    stacked = [np.stack(column) for column in list(zip(*rows, strict=True))[op.carries :]]
    return rows[-1][: op.carries] + stacked


def _scan_vjp(
    op: Scan, body: Graph, inputs: Sequence[Array], cotangents: Sequence[Array]
) -> list[Array | None]:
    """Go through the steps again, from the last one to the first."""
    shares: list[Array | None] = [
        np.zeros(x.shape) if x.dtype.kind == "f" else None for x in inputs
    ]
    carried, end = list(cotangents[: op.carries]), op.carries + op.sequences
    for t, known in reversed(list(enumerate(_steps(op, body, inputs)))):
        found: Environment = {}
        made = [*carried, *(each[t] for each in cotangents[op.carries :])]
        for value, cotangent in zip(body.outputs, made, strict=True):
            found[value] = found[value] + cotangent if value in found else cotangent
        found = backward(body, known, found)
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
