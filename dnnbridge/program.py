"""`Program`: the graphs that a backend compiles, and the arrays that live between steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from dnnbridge.errors import ShapeError, SpecError
from dnnbridge.graph import BATCH, Builder, Graph, TensorType, Value
from dnnbridge.losses import AbstractLoss, Target
from dnnbridge.metrics import AbstractMetric
from dnnbridge.models import AbstractModel
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.scope import BatchMask, Declarations, RandomInput, Scope, StateArray

TARGET = "target:y"
"""Feed of the labels, one row per example; the model's inputs are fed as "input:name"."""

MASK = "batch:mask"
"""Feed with one number per example: 1 for a real one, 0 for one that fills up the batch."""

NORMALIZER = "batch:normalizer"
"""Scalar feed: 1 / Σ mask, the divisor of a mean over a batch."""


@dataclass(frozen=True, eq=False)
class Function:
    """A graph whose inputs are state arrays and feeds, and whose outputs have names.

    Attributes:
        graph: flat SSA. Its outputs are `results`, then the new values of `writes`.
        state: the inputs that read a state array, with the name of the array; all other inputs
            are feeds, named as `Executable.run` is fed.
        results: names of what it returns.
        writes: names of the state arrays it changes.
        training: whether it was emitted for training.
    """

    graph: Graph
    state: Mapping[Value, str]
    results: tuple[str, ...]
    writes: tuple[str, ...] = ()
    training: bool = False

    @property
    def feeds(self) -> tuple[Value, ...]:
        """The inputs that are fed, in the order of the graph's inputs."""
        return tuple(value for value in self.graph.inputs if value not in self.state)


@dataclass(frozen=True, eq=False)
class Program:
    """Everything a backend needs, and what the runtime must feed.

    Attributes:
        functions: "train", "evaluate" and "predict".
        state: every array that lives between steps: weights and buffers in layer order, then the
            optimizer's.
        randoms: arrays to draw at every training step, fed as "random:name".
        scalars: names of the optimizer's host scalars, fed as "scalar:name".
        metrics: the metrics by their labels.
        target: what labels must look like.
    """

    functions: Mapping[str, Function]
    state: Mapping[str, StateArray] = field(default_factory=dict)
    randoms: tuple[RandomInput, ...] = ()
    scalars: tuple[str, ...] = ()
    metrics: Mapping[str, AbstractMetric] = field(default_factory=dict)
    target: Target | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the trainable arrays, in layer order."""
        return tuple(name for name, array in self.state.items() if array.trainable)


@lru_cache(maxsize=32)
def build_program(
    model: AbstractModel,
    loss: AbstractLoss,
    optimizer: AbstractOptimizer,
    metrics: tuple[AbstractMetric, ...],
) -> Program:
    """Emit the graphs of an experiment.

    Raises:
        ShapeError, DTypeError, SpecError: with the layer's path.
    """
    forward = _Forward(model, loss, _labelled(metrics))
    train, declared, slots = _train(forward, optimizer)
    state = declared.arrays | slots
    functions = {"train": train, "evaluate": forward.evaluate(), "predict": forward.predict()}
    for name, function in functions.items():
        if unknown := set(function.state.values()) - state.keys():
            raise SpecError(
                f"declared to {name} but not to train",
                where=", ".join(sorted(unknown)),
                hint="Declare the same arrays whether scope.training or not.",
            )
    return Program(
        functions,
        state,
        randoms=tuple(declared.randoms.values()),
        scalars=tuple(optimizer.scalars(0)),
        metrics=forward.metrics,
        target=forward.target,
    )


def _labelled(metrics: Sequence[AbstractMetric]) -> dict[str, AbstractMetric]:
    labels = ["loss", *(metric.label for metric in metrics)]
    for label in labels:
        if labels.count(label) > 1:
            raise SpecError(
                "two metrics have one name", where="metrics", got=label, hint="Give one a name=…."
            )
    return {metric.label: metric for metric in metrics}


@dataclass(frozen=True)
class _Forward:
    """The part that training, evaluation and prediction share."""

    model: AbstractModel
    loss: AbstractLoss
    metrics: Mapping[str, AbstractMetric]

    @cached_property
    def target(self) -> Target:
        return self.loss.target(TensorType(self.model.output_shape))

    def begin(self, name: str) -> tuple[Builder, Declarations, list[Value]]:
        """Return a builder for a batch with labels, and its inputs and labels."""
        builder = Builder(name)
        given = {TARGET: self.target.type, MASK: TensorType((BATCH,)), NORMALIZER: TensorType(())}
        values = [builder.input(key, type) for key, type in (self.inputs | given).items()]
        *data, mask, normalizer = values
        return builder, Declarations(builder, BatchMask(mask, normalizer)), data

    @cached_property
    def inputs(self) -> dict[str, TensorType]:
        """Types of the model's inputs by the names of their feeds."""
        return {f"input:{name}": type for name, type in self.model.input_types.items()}

    def emit(self, scope: Scope, *values: Value) -> list[Value]:
        """Write the loss, a mean over the real examples, then the sum of every metric."""
        *inputs, y = values
        prediction = self.model.emit(scope, *inputs)
        losses = scope.call(self.loss, prediction, y, name="loss")
        _require_batch(losses, "loss", exactly=True)
        outputs = [scope.batch_mean(losses)]
        for label, metric in self.metrics.items():
            value = scope.call(metric, prediction, y, name=label)
            _require_batch(value, label)
            outputs.append(scope.batch_sum(value))
        return outputs

    def evaluate(self) -> Function:
        builder, declared, inputs = self.begin("evaluate")
        outputs = self.emit(Scope(builder, declared, training=False), *inputs)
        return Function(builder.graph(outputs), _names(declared), ("loss", *self.metrics))

    def predict(self) -> Function:
        builder = Builder("predict")
        inputs = [builder.input(name, type) for name, type in self.inputs.items()]
        declared = Declarations(builder)
        output = self.model.emit(Scope(builder, declared, training=False), *inputs)
        return Function(builder.graph([output]), _names(declared), ("prediction",))


def _names(declared: Declarations) -> dict[Value, str]:
    return {value: name for name, value in declared.values.items()}


def _require_batch(value: Value, path: str, exactly: bool = False) -> None:
    if value.rank < 1 or value.shape[0] is not BATCH or (exactly and value.rank != 1):
        raise ShapeError(
            "must give one " + ("number" if exactly else "row") + " per example",
            where=path,
            got=str(value.type),
            hint="Leave the first axis alone; core takes the mean over the batch.",
        )


def _train(
    forward: _Forward, optimizer: AbstractOptimizer
) -> tuple[Function, Declarations, dict[str, StateArray]]:
    builder, declared, inputs = forward.begin("train")
    updates: list[str] = []

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        scope = Scope(body, declared, training=True)
        outputs = forward.emit(scope, *values)
        updates.extend(scope.updates)
        return [*outputs, *scope.updates.values()]

    def trainable(value: Value) -> bool:
        array = declared.arrays.get(value.name)
        return array is not None and array.trainable and declared.values[array.name] is value

    outputs, gradients = builder.value_and_grad("forward", inputs, write, trainable)
    count = 1 + len(forward.metrics)
    writes = dict(zip(updates, outputs[count:], strict=True))
    scalars = {
        name: builder.input(f"scalar:{name}", TensorType(())) for name in optimizer.scalars(0)
    }
    slots, reads = dict[str, StateArray](), _names(declared)
    for p, g in gradients.items():
        update = record_update(builder, optimizer, declared.arrays[reads[p]], p, g, scalars)
        writes |= update.writes
        slots |= update.slots
        reads |= update.reads
    graph = builder.graph([*outputs[:count], *writes.values()])
    results = ("loss", *forward.metrics)
    return Function(graph, reads, results, tuple(writes), training=True), declared, slots


@dataclass(frozen=True)
class Update:
    """The update of one parameter: the arrays kept for it, where they are read, what is written."""

    slots: dict[str, StateArray]
    reads: dict[Value, str]
    writes: dict[str, Value]


def record_update(
    builder: Builder,
    optimizer: AbstractOptimizer,
    parameter: StateArray,
    p: Value,
    g: Value,
    scalars: Mapping[str, Value],
) -> Update:
    """Record the update of one parameter as a call of the optimizer."""
    slots = {
        slot: StateArray(f"{parameter.name}:{slot}", shape, initial, trainable=False)
        for slot, (shape, initial) in optimizer.slots(parameter.shape).items()
    }
    values = {slot: builder.input(array.name, array.type) for slot, array in slots.items()}

    def write(body: Builder, given: tuple[Value, ...]) -> list[Value]:
        rest = iter(given[2:])
        inner_slots = {slot: next(rest) for slot in slots}
        inner_scalars = {name: next(rest) for name in scalars}
        new_p, new_slots = optimizer.update(given[0], given[1], inner_slots, inner_scalars)
        made = {"p": new_p, **new_slots}
        types = {"p": p.type} | {slot: array.type for slot, array in slots.items()}
        if {name: value.type for name, value in made.items()} != types:
            raise SpecError(
                f"{type(optimizer).__name__}.update must keep p and every slot as they are",
                where=parameter.name,
                got=", ".join(f"{name} {value.type}" for name, value in made.items()),
                hint="Expected "
                + ", ".join(f"{name} {type}" for name, type in types.items())
                + ".",
            )
        return [made[name] for name in types]

    arguments = [p, g, *values.values(), *scalars.values()]
    updated = builder.call(optimizer, parameter.name, arguments, write)
    names = [parameter.name, *(array.name for array in slots.values())]
    return Update(
        {array.name: array for array in slots.values()},
        {values[slot]: array.name for slot, array in slots.items()},
        dict(zip(names, updated, strict=True)),
    )
