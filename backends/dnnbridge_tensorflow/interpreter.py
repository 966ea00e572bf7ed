"""Trace a graph into TensorFlow operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from dnnbridge.backend import (
    Call,
    Constant,
    ConstantArray,
    Graph,
    Node,
    PutRows,
    Recompute,
    Scan,
    Structure,
    Value,
    ValueAndGrad,
    evaluate,
)
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.derivatives import gradients_of, recomputed
from dnnbridge_tensorflow.lowerings import DTYPES, Lowerings
from dnnbridge_tensorflow.rows import put_rows

Tensor = Any

Places = Mapping[Value, tuple[Sequence[Tensor], bool]]
"""Variables that a node changes, and whether the first is set to the node's first input before."""

NOWHERE: Places = {}

Body = Callable[[Graph, list[Tensor]], list[Tensor]]
"""Function that traces the body of a node."""


def traced(
    graph: Graph, inputs: list[Tensor], table: Lowerings, places: Places = NOWHERE
) -> list[Tensor]:
    """Return the outputs of a graph whose unclaimed calls have been inlined.

    Args:
        graph: the graph to trace.
        inputs: a tensor for each input, a variable for a table, None for an unused input.
        table: lowerings of the operations.
        places: variables changed in place, by the first output of the node. Such outputs are None.
    """

    def body(graph: Graph, inputs: list[Tensor]) -> list[Tensor]:
        return traced(graph, inputs, table)

    structure: Structure[Tensor] = {
        Constant: _constant,
        ConstantArray: _constant,
        Call: partial(_call, places),
        ValueAndGrad: partial(_value_and_grad, body),
        Recompute: partial(_recompute, body),
        Scan: partial(_scan, body),
        PutRows: partial(_put_rows, table, places),
    }
    return graph.results(evaluate(graph, inputs, table, structure))


def _constant(node: Node, inputs: list[Tensor]) -> list[Tensor]:
    op = node.op
    assert isinstance(op, (Constant, ConstantArray))
    value = op.array if isinstance(op, ConstantArray) else op.value
    return [tf.constant(value, DTYPES[op.dtype])]


def _call(places: Places, node: Node, inputs: list[Tensor]) -> list[Tensor]:
    """Lower a claimed call, in place if its outputs have places."""
    assert isinstance(node.op, Call)
    spec = node.op.spec
    lower = CLAIMS[type(spec)].lower
    if node.outputs[0] not in places:
        return list(lower(spec, *inputs))
    variables, moved = places[node.outputs[0]]
    if moved:
        variables[0].assign(inputs[0])
    lower(spec, variables, *inputs)
    return [None] * len(variables)


def _put_rows(table: Lowerings, places: Places, node: Node, inputs: list[Tensor]) -> list[Tensor]:
    if node.outputs[0] not in places:
        return [table[PutRows](node.op, *inputs)]
    ((variable,), _) = places[node.outputs[0]]
    put_rows(variable, *inputs[1:])
    return [None]


def _value_and_grad(run: Body, node: Node, inputs: list[Tensor]) -> list[Tensor]:
    assert isinstance(node.op, ValueAndGrad)
    assert node.body is not None
    outputs = run(node.body, inputs)
    gradients = gradients_of(outputs[0], [inputs[i] for i in node.op.wrt])
    # The gradient of a gather is IndexedSlices with repeated indices: this adds them up.
    return [*outputs, *map(tf.convert_to_tensor, gradients)]


def _recompute(run: Body, node: Node, inputs: list[Tensor]) -> list[Tensor]:
    body = node.body
    assert body is not None
    return recomputed(lambda given: run(body, given), inputs)


def _scan(run: Body, node: Node, inputs: list[Tensor]) -> list[Tensor]:
    """Loop over TensorArrays of slices, so that gradients are written step by step."""
    op, body = node.op, node.body
    assert isinstance(op, Scan)
    assert body is not None
    end = op.carries + op.sequences
    types = [value.type for value in body.outputs]
    sequences = [
        tf.TensorArray(x.dtype, size=op.length, element_shape=x.shape[1:]).unstack(x)
        for x in inputs[op.carries : end]
    ]
    stacks = [
        tf.TensorArray(DTYPES[t.dtype], size=op.length, element_shape=list(t.shape))
        for t in types[op.carries :]
    ]

    def step(t: Tensor, carries: list[Tensor], stacks: list[Any]) -> tuple[Tensor, Any, Any]:
        slices = [sequence.read(t) for sequence in sequences]
        made = run(body, [*carries, *slices, *inputs[end:]])
        written = zip(stacks, made[op.carries :], strict=True)
        return t + 1, made[: op.carries], [stack.write(t, value) for stack, value in written]

    _, carries, stacks = tf.while_loop(
        lambda t, *_: t < op.length,
        step,
        (tf.constant(0), inputs[: op.carries], stacks),
        shape_invariants=(
            tf.TensorShape([]),
            [tf.TensorShape(list(t.shape)) for t in types[: op.carries]],
            [tf.TensorShape([])] * len(stacks),
        ),
        maximum_iterations=op.length,
    )
    return [*carries, *(stack.stack() for stack in stacks)]
