"""Trace a graph into TensorFlow operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from dnnbridge.backend import (
    Call,
    Constant,
    ConstantArray,
    Graph,
    PutRows,
    Scan,
    Value,
    ValueAndGrad,
)
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.lowerings import DTYPES, Lowerings
from dnnbridge_tensorflow.rows import put_rows

Tensor = Any

Places = Mapping[Value, tuple[Sequence[Tensor], bool]]
"""Variables that a node changes, and whether the first is set to its first input before."""

NOWHERE: Places = {}


def evaluate(
    graph: Graph, inputs: Sequence[Tensor], table: Lowerings, places: Places = NOWHERE
) -> list[Tensor]:
    """Return the outputs of a graph whose unclaimed calls have been inlined.

    Args:
        graph: what is traced.
        inputs: a tensor for each input, a variable for a table; None for one that no node reads.
        table: what each operation is.
        places: of what is changed in place, by the first output of the node; these are None.
    """
    known: dict[Value, Tensor] = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        arguments = [known[value] for value in node.inputs]
        if isinstance(node.op, Constant):
            results = [tf.constant(node.op.value, DTYPES[node.op.dtype])]
        elif isinstance(node.op, ConstantArray):
            results = [tf.constant(node.op.array, DTYPES[node.op.dtype])]
        elif isinstance(node.op, Call) and node.outputs[0] in places:
            variables, moved = places[node.outputs[0]]
            if moved:
                variables[0].assign(arguments[0])
            CLAIMS[type(node.op.spec)].lower(node.op.spec, variables, *arguments)
            results = [None] * len(variables)
        elif isinstance(node.op, PutRows) and node.outputs[0] in places:
            ((variable,), _) = places[node.outputs[0]]
            put_rows(variable, *arguments[1:])
            results = [None]
        elif isinstance(node.op, Call):
            results = CLAIMS[type(node.op.spec)].lower(node.op.spec, *arguments)
        elif isinstance(node.op, ValueAndGrad):
            assert node.body is not None
            results = _value_and_grad(node.op, node.body, arguments, table)
        elif isinstance(node.op, Scan):
            assert node.body is not None
            results = _scan(node.op, node.body, arguments, table)
        else:
            results = [table[type(node.op)](node.op, *arguments)]
        known.update(zip(node.outputs, results, strict=True))
    return [known[value] for value in graph.outputs]


def _value_and_grad(
    op: ValueAndGrad, body: Graph, inputs: list[Tensor], table: Lowerings
) -> list[Tensor]:
    wrt = [inputs[i] for i in op.wrt]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(wrt)
        outputs = evaluate(body, inputs, table)
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(outputs[0], wrt, unconnected_gradients=zero)
    # Rows taken several times come as slices with repeated indices: add them up.
    return [*outputs, *map(tf.convert_to_tensor, gradients)]


def _scan(op: Scan, body: Graph, inputs: list[Tensor], table: Lowerings) -> list[Tensor]:
    """Loop over arrays of slices, whose gradients are written step by step."""
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
        made = evaluate(body, [*carries, *slices, *inputs[end:]], table)
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
