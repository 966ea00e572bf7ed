"""`build_probes`: functions that show what a step computes inside: activations and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from dnnbridge.emit.declarations import MASK, NORMALIZER, BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import (
    BATCH,
    Builder,
    Call,
    Graph,
    Node,
    TensorType,
    Value,
    with_calls_exposed,
)
from dnnbridge.layers import AbstractLayer
from dnnbridge.models import AbstractModel
from dnnbridge.program.forward import Forward
from dnnbridge.program.heads import Head
from dnnbridge.program.lowering import in_precision
from dnnbridge.program.precision import AbstractPrecision
from dnnbridge.program.program import Function, Program
from dnnbridge.weights.rules import WeightRules

ACTIVATIONS = {False: "activations", True: "training activations"}
"""Names of the functions that return the results of layers, by whether they train."""

GRADIENTS = "gradients"
"""Name of the function that returns the gradients of the loss of a batch."""

QUIET_GRADIENTS = "gradients of a prediction"
"""Name of the same without noise, dropout and statistics of the batch. It also has the loss."""


@lru_cache(maxsize=16)
def build_probes(
    model: AbstractModel,
    heads: tuple[Head, ...],
    rules: WeightRules,
    precision: AbstractPrecision,
) -> Program:
    """Emit functions that return the results of all layers, and all gradients.

    They are a program of their own. Its arrays are weights, buffers and carried states, under the
    names of the experiment's program; only carried states are written.
    """
    forward = Forward(model, heads, rules)
    functions = {
        ACTIVATIONS[training]: _activations(forward, training) for training in (False, True)
    }
    gradients, declared = _gradients(forward, GRADIENTS)
    quiet, _ = _gradients(forward, QUIET_GRADIENTS)
    program = Program(
        functions | {GRADIENTS: gradients, QUIET_GRADIENTS: quiet},
        declared.arrays,
        randoms=tuple(declared.randoms.values()),
        schedules=declared.schedules,
        objectives=forward.objectives,
        outputs=forward.outputs,
        layers=tuple(declared.of_layers),
        batch_size=declared.batch_size,
    )
    return in_precision(program, precision)


def _activations(forward: Forward, training: bool) -> Function:
    """Return a function whose results are those of each layer, by path."""
    builder = Builder(ACTIVATIONS[training])
    given = {name: builder.input(name, type) for name, type in forward.inputs.items()}
    batch = None
    if training:
        mask = builder.input(MASK, TensorType((BATCH,)))
        batch = BatchMask(mask, builder.input(NORMALIZER, TensorType(())))
    rules = forward.rules
    declared = Declarations(builder, batch, frozen=rules.statistics_frozen, moves=rules.moves)
    scope = Scope(builder, declared, training)
    forward.predictions(scope, given)
    nodes, layers = layer_outputs(builder.nodes)
    results = {name: layer.value for name, layer in layers.items()}
    carried = {n: v for n, v in scope.updates.items() if declared.arrays[n].carried}
    outputs = (*results.values(), *carried.values())
    graph = Graph(builder.name, tuple(builder.inputs), tuple(nodes), outputs)
    return Function(graph, declared.reads, tuple(results), tuple(carried), training)


class LayerOutput(NamedTuple):
    """What a layer returns.

    Attributes:
        node: the call of the layer.
        value: the output, as a value of the outermost graph.
    """

    node: Node
    value: Value


def layer_outputs(nodes: Sequence[Node]) -> tuple[list[Node], dict[str, LayerOutput]]:
    """Return the nodes with the outputs of all layers exposed, and these by path.

    A layer with several outputs has one entry for each. Later calls under one path get a number.
    """
    exposed, calls = with_calls_exposed(nodes, _is_layer)
    made: dict[str, LayerOutput] = {}
    for call in calls:
        outputs = _layer_of(call.node).output_names
        for output, value in zip(outputs, call.outputs, strict=False):  # then masks and updates
            name = free = call.path if len(outputs) == 1 else f"{call.path}_{output}"
            number = 1
            while free in made:
                number += 1
                free = f"{name}:{number}"
            made[free] = LayerOutput(call.node, value)
    return exposed, made


def _is_layer(node: Node) -> bool:
    return isinstance(node.op, Call) and isinstance(node.op.spec, AbstractLayer)


def _layer_of(node: Node) -> AbstractLayer:
    assert isinstance(node.op, Call)
    assert isinstance(node.op.spec, AbstractLayer)
    return node.op.spec


def _gradients(forward: Forward, name: str) -> tuple[Function, Declarations]:
    """Return a function whose results are the gradients of the loss, by weight."""
    builder, declared, given = forward.begin(name)
    training = name == GRADIENTS

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        scope = Scope(body, declared, training=training)
        return [forward.emit(scope, dict(zip(given, values, strict=True)))["loss"]]

    moves = forward.moves(declared)
    made, found = builder.value_and_grad("forward", list(given.values()), write, moves)
    named = {declared.name_of(value): gradient for value, gradient in found.items()}
    results = {name: named[name] for name in declared.arrays if name in named}
    results |= {} if training else {"loss": made[0]}
    graph = builder.graph(list(results.values()))
    return Function(graph, declared.reads, tuple(results), training=training), declared
