"""`Program`: the graphs that a backend compiles, and the arrays that live between steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from dnnbridge import ops
from dnnbridge.clipping import AbstractGradientRule
from dnnbridge.errors import SpecError
from dnnbridge.graph import BATCH, Builder, Graph, TensorType, Value, inline
from dnnbridge.heads import Head
from dnnbridge.models import AbstractModel
from dnnbridge.objectives import Objective, emit_objectives, objectives
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.scope import BatchMask, Declarations, RandomInput, Scope, StateArray

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
        functions: "train", "evaluate" and "predict", and "sample", a prediction with noise and
            dropout drawn, where there are any.
        state: every array that lives between steps: weights and buffers in layer order, then the
            optimizer's.
        randoms: arrays to draw at every step that trains or samples, fed as "random:name".
        scalars: names of the optimizer's host scalars, fed as "scalar:name".
        objectives: the loss and metrics of each output that is trained, by key.
        outputs: types of the predictions, by name of the output.
        rows: how many rows the tables have that an input is an index of, by name of the feed.
    """

    functions: Mapping[str, Function]
    state: Mapping[str, StateArray] = field(default_factory=dict)
    randoms: tuple[RandomInput, ...] = ()
    scalars: tuple[str, ...] = ()
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the trainable arrays, in layer order."""
        return tuple(name for name, array in self.state.items() if array.trainable)


@lru_cache(maxsize=32)
def build_program(
    model: AbstractModel,
    heads: tuple[Head, ...],
    optimizer: AbstractOptimizer,
    frozen: tuple[str, ...] = (),
    gradients: tuple[AbstractGradientRule, ...] = (),
) -> Program:
    """Emit the graphs of an experiment.

    Raises:
        ShapeError, DTypeError, SpecError: with the layer's path.
    """
    forward = _Forward(model, heads)
    train, declared, slots = _train(forward, optimizer, frozen, gradients)
    state = declared.arrays | slots
    functions = {"train": train, "evaluate": forward.evaluate(), "predict": forward.predict()}
    if declared.randoms:
        functions["sample"] = forward.predict(sampling=True)
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
        objectives=forward.objectives,
        outputs=forward.outputs,
        rows=_rows(functions["predict"].graph),
    )


def _rows(graph: Graph) -> dict[str, int]:
    """Return the size of the smallest table that each input is an index of."""
    found: dict[str, int] = {}
    for node in inline(graph).nodes:
        if isinstance(node.op, ops.Take) and node.inputs[1] in graph.inputs:
            size, name = node.inputs[0].type.shape[0], node.inputs[1].name
            found[name] = min(found.get(name, size or 0), size or 0)
    return found


@dataclass(frozen=True)
class _Forward:
    """The part that training, evaluation and prediction share."""

    model: AbstractModel
    heads: tuple[Head, ...]

    @cached_property
    def outputs(self) -> dict[str, TensorType]:
        return self.model.output_types

    @cached_property
    def objectives(self) -> dict[str, Objective]:
        return objectives(self.heads, self.outputs)

    @cached_property
    def inputs(self) -> dict[str, TensorType]:
        """Types of the model's inputs by the names of their feeds."""
        return {f"input:{name}": type for name, type in self.model.input_types.items()}

    def begin(self, name: str) -> tuple[Builder, Declarations, dict[str, Value]]:
        """Return a builder for a batch with labels, and its inputs, labels and weights."""
        builder = Builder(name)
        types = dict(self.inputs)
        for objective in self.objectives.values():
            types |= objective.feeds
        given = {key: builder.input(key, type) for key, type in types.items()}
        mask = builder.input(MASK, TensorType((BATCH,)))
        normalizer = builder.input(NORMALIZER, TensorType(()))
        return builder, Declarations(builder, BatchMask(mask, normalizer)), given

    def predictions(self, scope: Scope, given: Mapping[str, Value]) -> dict[str, Value]:
        """Write the model and return its outputs by name."""
        made = self.model.emit(scope, *(given[feed] for feed in self.inputs))
        outputs = (made,) if isinstance(made, Value) else made
        return dict(zip(self.outputs, outputs, strict=True))

    def emit(self, scope: Scope, given: Mapping[str, Value]) -> dict[str, Value]:
        """Write the model, the loss of the batch and the sum of every metric."""
        return emit_objectives(scope, self.objectives, self.predictions(scope, given), given)

    def evaluate(self) -> Function:
        builder, declared, given = self.begin("evaluate")
        results = self.emit(Scope(builder, declared, training=False), given)
        graph = builder.graph(list(results.values()))
        return Function(graph, _names(declared), tuple(results))

    def predict(self, sampling: bool = False) -> Function:
        builder = Builder("sample" if sampling else "predict")
        given = {name: builder.input(name, type) for name, type in self.inputs.items()}
        declared = Declarations(builder)
        scope = Scope(builder, declared, training=False, sampling=sampling)
        made = self.predictions(scope, given)
        return Function(builder.graph(list(made.values())), _names(declared), tuple(made))


def _names(declared: Declarations) -> dict[Value, str]:
    return {value: name for name, value in declared.values.items()}


def _train(
    forward: _Forward,
    optimizer: AbstractOptimizer,
    frozen: tuple[str, ...],
    rules: tuple[AbstractGradientRule, ...],
) -> tuple[Function, Declarations, dict[str, StateArray]]:
    builder, declared, given = forward.begin("train")
    results: list[str] = []
    updates: list[str] = []

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        scope = Scope(body, declared, training=True)
        made = forward.emit(scope, dict(zip(given, values, strict=True)))
        results.extend(made)
        updates.extend(scope.updates)
        return [*made.values(), *scope.updates.values()]

    def trainable(value: Value) -> bool:
        array = declared.arrays.get(value.name)
        return (
            array is not None
            and array.trainable
            and declared.values[array.name] is value
            and not any(fnmatchcase(array.name, pattern) for pattern in frozen)
        )

    outputs, gradients = builder.value_and_grad("forward", list(given.values()), write, trainable)
    _check_frozen(frozen, declared)
    count = len(results)
    writes = dict(zip(updates, outputs[count:], strict=True))
    scalars = {
        name: builder.input(f"scalar:{name}", TensorType(())) for name in optimizer.scalars(0)
    }
    slots, reads = dict[str, StateArray](), _names(declared)
    for p, g in _ruled(builder, rules, gradients).items():
        update = record_update(builder, optimizer, declared.arrays[reads[p]], p, g, scalars)
        writes |= update.writes
        slots |= update.slots
        reads |= update.reads
    graph = builder.graph([*outputs[:count], *writes.values()])
    function = Function(graph, reads, tuple(results), tuple(writes), training=True)
    return function, declared, slots


def _ruled(
    builder: Builder, rules: Sequence[AbstractGradientRule], gradients: Mapping[Value, Value]
) -> dict[Value, Value]:
    """Record the rules, as calls on the gradients of all weights."""
    given = list(gradients.values())
    for rule in rules if given else ():
        types = [g.type for g in given]
        given = builder.call(rule, "gradients", given, lambda body, gs, rule=rule: rule.emit(gs))  # type: ignore[misc]
        if [g.type for g in given] != types:
            raise SpecError(
                f"{type(rule).__name__}.emit must keep the shapes of the gradients",
                where="gradients",
                got=", ".join(str(g.type) for g in given),
            )
    return dict(zip(gradients, given, strict=True))


def _check_frozen(frozen: Sequence[str], declared: Declarations) -> None:
    weights = [name for name, array in declared.arrays.items() if array.trainable]
    for pattern in frozen:
        if not any(fnmatchcase(name, pattern) for name in weights):
            raise SpecError(
                "no weights have such a name",
                where="frozen",
                got=repr(pattern),
                hint=f"Weights are called {', '.join(weights[:4])}…; * stands for anything.",
            )


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
