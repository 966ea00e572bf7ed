"""`Program`: the graphs that a backend compiles, and the arrays that live between steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dnnbridge import ops
from dnnbridge.graph import BATCH, Builder, Graph, TensorType, Value
from dnnbridge.losses import AbstractLoss
from dnnbridge.losses.base import Target
from dnnbridge.metrics import as_metrics
from dnnbridge.model import AbstractModel
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.scope import Declarations, Parameter, RandomInput, Scope

DATA = ("x", "y", "weight")
"""Feeds with one row per example: inputs, labels, and 1 for a real example or 0 for padding."""

NORMALIZER = "normalizer"
"""Scalar feed: 1 / Σ weight, the divisor of the mean over a batch."""


@dataclass(frozen=True, eq=False)
class Function:
    """A graph with named outputs.

    Inputs of the graph that are named like a state array read that array; all others are feeds.
    Outputs are `results`, then the new values of the arrays `writes`.
    """

    graph: Graph
    results: tuple[str, ...]
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Program:
    """Everything a backend needs, and what the runtime must feed.

    Attributes:
        state: name and type of every array that lives between steps: parameters, then slots.
        functions: "train", "evaluate" and "predict".
        parameters: the trainable arrays, in layer order.
        slots: names of the arrays of the optimizer, `parameter:slot`.
        randoms: arrays to draw at every training step.
        scalars: names of the optimizer's host scalars.
        metrics: labels of the metrics.
        target: what labels must look like.
    """

    state: Mapping[str, TensorType]
    functions: Mapping[str, Function]
    parameters: tuple[Parameter, ...] = ()
    slots: tuple[str, ...] = ()
    randoms: tuple[RandomInput, ...] = ()
    scalars: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    target: Target | None = None

    def feeds(self, function: str) -> dict[str, TensorType]:
        """Return name and type of what a function must be fed."""
        inputs = self.functions[function].graph.inputs
        return {value.name: value.type for value in inputs if value.name not in self.state}


def build_program(
    model: AbstractModel, loss: AbstractLoss, optimizer: AbstractOptimizer, metrics: Any
) -> Program:
    """Emit the graphs of an experiment.

    Raises:
        ShapeError, DTypeError: with the layer's path.
    """
    forward = _Forward(model, loss, {metric.label: metric for metric in as_metrics(metrics)})
    train, declared = _train(forward, optimizer)
    parameters = tuple(parameter for parameter, _ in declared.parameters.values())
    state = {p.name: TensorType(p.shape) for p in parameters}
    slots = {
        f"{p.name}:{slot}": TensorType(p.shape) for slot in optimizer.slots() for p in parameters
    }
    return Program(
        state=state | slots,
        functions={"train": train, "evaluate": forward.evaluate(), "predict": forward.predict()},
        parameters=parameters,
        slots=tuple(slots),
        randoms=tuple(random for random, _ in declared.randoms.values()),
        scalars=tuple(optimizer.scalars(0)),
        metrics=tuple(forward.metrics),
        target=forward.target(),
    )


@dataclass(frozen=True)
class _Forward:
    """The part that training, evaluation and prediction share."""

    model: AbstractModel
    loss: AbstractLoss
    metrics: Mapping[str, Any]

    def target(self) -> Target:
        return self.loss.target(TensorType(self.model.output_shape))

    def data_inputs(self, builder: Builder) -> list[Value]:
        types = (self.model.input_type, self.target().type, TensorType((BATCH,)))
        values = [builder.input(name, t) for name, t in zip(DATA, types, strict=True)]
        return [*values, builder.input(NORMALIZER, TensorType(()))]

    def emit(self, scope: Scope, x: Value, y: Value, weight: Value, mean: Value) -> list[Value]:
        """Write the loss, a weighted mean, then the sum of every metric over the batch."""
        prediction = self.model.emit(scope, x)
        losses = scope.call(self.loss, prediction, y, name="loss")
        outputs = [ops.reduce_sum(losses * weight, 0) * mean]
        for label, metric in self.metrics.items():
            value = scope.call(metric, prediction, y, name=label)
            outputs.append(ops.reduce_sum(value * weight, 0))
        return outputs

    def evaluate(self) -> Function:
        builder = Builder("evaluate")
        inputs = self.data_inputs(builder)
        scope = Scope(builder, Declarations(builder), training=False)
        outputs = self.emit(scope, *inputs)
        return Function(builder.graph(outputs), ("loss", *self.metrics))

    def predict(self) -> Function:
        builder = Builder("predict")
        x = builder.input(DATA[0], self.model.input_type)
        scope = Scope(builder, Declarations(builder), training=False)
        return Function(builder.graph([self.model.emit(scope, x)]), ("prediction",))


def _train(forward: _Forward, optimizer: AbstractOptimizer) -> tuple[Function, Declarations]:
    builder = Builder("train")
    declared = Declarations(builder)
    inputs = forward.data_inputs(builder)

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        return forward.emit(Scope(body, declared, training=True), *values)

    def trainable(value: Value) -> bool:
        return value.name in declared.parameters

    outputs, gradients = builder.value_and_grad("forward", inputs, write, trainable)
    scalars = [builder.input(name, TensorType(())) for name in optimizer.scalars(0)]
    writes: dict[str, Value] = {}
    for parameter, p in declared.parameters.values():
        writes |= record_update(builder, optimizer, parameter, p, gradients[p], scalars)
    graph = builder.graph([*outputs, *writes.values()])
    return Function(graph, ("loss", *forward.metrics), tuple(writes)), declared


def record_update(
    builder: Builder,
    optimizer: AbstractOptimizer,
    parameter: Parameter,
    p: Value,
    g: Value,
    scalars: Iterable[Value],
) -> dict[str, Value]:
    """Record the update of one parameter as a call; return the new arrays by name."""
    names, kinds = [s.name for s in scalars], optimizer.slots()
    slots = [builder.input(f"{parameter.name}:{slot}", p.type) for slot in kinds]

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        new_p, gradient, rest = values[0], values[1], values[2:]
        slot_values = dict(zip(kinds, rest[: len(kinds)], strict=True))
        scalar_values = dict(zip(names, rest[len(kinds) :], strict=True))
        new_p, new_slots = optimizer.update(new_p, gradient, slot_values, scalar_values)
        return [new_p, *(new_slots[slot] for slot in kinds)]

    updated = builder.call(optimizer, parameter.name, [p, g, *slots, *scalars], write)
    return dict(zip([parameter.name, *(s.name for s in slots)], updated, strict=True))
