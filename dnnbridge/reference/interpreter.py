"""Run a graph in NumPy float64 and differentiate it backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnbridge.arrays import Array
from dnnbridge.graph import Constant, ConstantArray, Graph, Value, ValueAndGrad
from dnnbridge.reference import elementwise, reductions, shapes

RULES = elementwise.RULES | reductions.RULES | shapes.RULES

Environment = dict[Value, Array]


def evaluate(graph: Graph, inputs: Sequence[Array]) -> Environment:
    """Return the number of every value of a flat graph."""
    known: Environment = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        arguments = [known[value] for value in node.inputs]
        results: Sequence[Any]
        if isinstance(node.op, Constant):
            results = [node.op.value]
        elif isinstance(node.op, ConstantArray):
            results = [node.op.array]
        elif isinstance(node.op, ValueAndGrad):
            assert node.body is not None
            results = _value_and_grad(node.op, node.body, arguments)
        else:
            results = [RULES[type(node.op)].forward(node.op, *arguments)]
        known.update((v, np.asarray(r)) for v, r in zip(node.outputs, results, strict=True))
    return known


def _value_and_grad(op: ValueAndGrad, body: Graph, inputs: Sequence[Array]) -> list[Array]:
    known = evaluate(body, inputs)
    cotangents: Environment = {body.outputs[0]: np.ones(())}
    for node in reversed(body.nodes):
        cotangent = cotangents.pop(node.outputs[0], None)
        if cotangent is None or isinstance(node.op, (Constant, ConstantArray)):
            continue
        arguments = tuple(known[value] for value in node.inputs)
        rule = RULES[type(node.op)]
        shares = rule.vjp(node.op, arguments, known[node.outputs[0]], cotangent)
        for value, share in zip(node.inputs, shares, strict=True):
            if share is not None:
                cotangents[value] = cotangents[value] + share if value in cotangents else share
    wrt = [body.inputs[i] for i in op.wrt]
    gradients = [np.asarray(cotangents.get(v, np.zeros_like(known[v]))) for v in wrt]
    return [known[value] for value in body.outputs] + gradients
