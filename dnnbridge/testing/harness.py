"""Run an equation on a backend: its value, and its gradients by all float inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dnnbridge import ops
from dnnbridge.backend.protocol import Backend, check_supported
from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import BatchMask, Declarations, StateArray
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import BATCH, Builder, TensorType, Value
from dnnbridge.initializers import Zeros
from dnnbridge.optimizers import SGD, AbstractOptimizer, ParameterGroups
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.program.program import Function, Program
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.tolerances import SMALLEST
from dnnbridge.training.feeding.feeds import scalar_feeds

Write = Callable[..., Value]
"""Function that writes an equation: it takes a scope and the inputs, and returns the value."""


@dataclass(frozen=True, eq=False)
class Equation:
    """A program that computes one value, and the arrays to feed it.

    Attributes:
        program: has one function, "equation".
        feeds: an array for every input, parameter and random input.
    """

    program: Program
    feeds: Mapping[str, Array]

    def run(self, backend: Backend, device: str = "cpu") -> dict[str, Array]:
        """Return "value", and "d/<input>" for every input that has a gradient.

        A second call takes the arrays reversed along their first axis; its results are "again/…".
        It detects kernels that wrongly keep something from the first call.
        """
        check_supported(backend, self.program, device)
        executable = backend.compile(self.program, device)
        turned = {name: array[::-1] if array.ndim else array for name, array in self.feeds.items()}
        made: dict[str, Array] = {}
        for prefix, feeds in (("", self.feeds), ("again/", turned)):
            stacked = {name: array[None] for name, array in feeds.items()}
            with np.errstate(all="ignore"):  # cases have infinities and NaN
                results = executable.run("equation", stacked, 1)
            made |= {f"{prefix}{name}": array[0] for name, array in results.items()}
        return made

    @property
    def flushed(self) -> Equation | None:
        """The equation with denormals replaced by 0, as a backend may read them.

        None if there are no denormals.
        """
        small = {name: _denormal(array) for name, array in self.feeds.items()}
        if not any(each.any() for each in small.values()):
            return None
        feeds = {
            name: np.where(small[name], _zero(a), a) if a.dtype.kind == "f" else a
            for name, a in self.feeds.items()
        }
        return replace(self, feeds=feeds)


def _zero(array: Array) -> Array:
    """Return 0 with the sign of each element."""
    return np.copysign(0.0, array).astype(array.dtype)


def _denormal(array: Array) -> Array:
    if array.dtype.kind != "f":
        return np.zeros(array.shape, bool)
    return np.asarray((array != 0) & (np.abs(array) < SMALLEST))


def equation(
    write: Write,
    types: Sequence[TensorType],
    inputs: Sequence[Array],
    *,
    gradient: bool = True,
    training: bool = True,
    masked: int = 0,
    seed: int = 0,
) -> Equation:
    """Build the program of an equation.

    Its results are "value", updates of buffers, added losses, and gradients. Parameters are
    random numbers; their initializers are ignored.

    Args:
        write: the equation.
        types: types of its inputs.
        inputs: arrays of its inputs.
        gradient: whether to differentiate the sum of the value, weighted with fixed random
            numbers, by every float input and parameter.
        training: whether the equation is emitted for training.
        masked: number of examples, at the end of the batch, whose mask is 0.
        seed: seed of the random numbers.
    """
    builder = Builder("equation")
    values = [builder.input(f"input_{i}", type) for i, type in enumerate(types)]
    mask = builder.input("mask", TensorType((BATCH,))), builder.input("normalizer", TensorType(()))
    declared = Declarations(builder, BatchMask(*mask))
    batch = len(inputs[0]) if inputs and np.ndim(inputs[0]) else 1
    feeds = {f"input_{i}": array for i, array in enumerate(inputs)}
    counted = np.arange(batch) < batch - masked
    feeds |= {"mask": counted.astype(float), "normalizer": np.array(1.0 / counted.sum())}
    rng = randomness.generator(seed, "harness")
    if not gradient:
        scope = Scope(builder, declared, training)
        results = [write(scope, *values), *scope.extras(), *declared.rewritten.values()]
        graph = builder.graph(results)
        function = Function(graph, {}, ("value", *_extras(scope), *_rewritten(declared)))
        feeds |= _drawn(declared, rng, batch)
        return Equation(Program({"equation": function}), rounded(feeds))
    more: list[str] = []

    def body(inner: Builder, given: tuple[Value, ...]) -> list[Value]:
        scope = Scope(inner, declared, training)
        value = write(scope, *given)
        weights = inner.local(builder.input("weights", value.type))
        product = value * weights
        total = sum(scope.losses, ops.reduce_sum(product, tuple(range(product.rank))))
        more.extend(_extras(scope))
        return [total, value, *scope.extras()]

    def differentiated(value: Value) -> bool:
        return (value in values and value.dtype == "float32") or value in declared.values.values()

    outputs, gradients = builder.value_and_grad("body", values, body, differentiated)
    names = [f"d/{declared.name_of(value) or value.name}" for value in gradients]
    rewritten = declared.rewritten.values()
    graph = builder.graph([*outputs[1:], *rewritten, *gradients.values()])
    found = ("value", *more, *_rewritten(declared), *names)
    function = Function(graph, {}, found, training=training)
    feeds["weights"] = rng.normal(size=outputs[1].type.concrete(batch))
    feeds |= _drawn(declared, rng, batch)
    return Equation(Program({"equation": function}), rounded(feeds))


def _rewritten(declared: Declarations) -> list[str]:
    """Return names of the buffers that change with weights, before the layers."""
    return [f"update/{name}" for name in declared.rewritten]


def _extras(scope: Scope) -> list[str]:
    """Return names of what a body gives besides its value."""
    return [
        *(f"update/{name}" for name in scope.updates),
        *(f"loss/{i}" for i in range(len(scope.losses))),
    ]


def build_case(case: OpCase | EquationCase, seed: int = 0) -> Equation:
    """Build the program of a case. Several outputs of a spec are concatenated into one value."""

    def write(scope: Scope, *values: Value) -> Value:
        if isinstance(case, OpCase):
            return scope.builder.add(case.op, *values)
        made = scope.call_all(case.spec, *values)
        if len(made) == 1:
            return made[0]
        return ops.concat([ops.reshape(v, (v.shape[0], v.type.size())) for v in made], 1)

    given = case.inputs if isinstance(case, OpCase) else case.arrays
    arrays = list(rounded({str(i): np.asarray(a) for i, a in enumerate(given)}).values())
    if isinstance(case, OpCase):
        return equation(write, case.types, arrays, gradient=case.gradient, seed=seed)
    return equation(
        write,
        case.types,
        arrays,
        gradient=case.gradient,
        training=case.training,
        masked=case.masked,
        seed=seed,
    )


def _drawn(declared: Declarations, rng: np.random.Generator, batch: int) -> dict[str, Array]:
    """Draw the declared arrays: parameters, positive buffers (variances), random inputs."""
    arrays = {
        a.name: rng.normal(0.0, 0.5, a.shape) if a.trainable else rng.uniform(0.5, 1.5, a.shape)
        for a in declared.arrays.values()
    }
    arrays |= {
        f"schedule:{name}": np.array(schedule(0)) for name, schedule in declared.schedules.items()
    }
    return arrays | {
        f"random:{random.name}": random.distribution.sample(rng, random.type.concrete(batch))
        for random in declared.randoms.values()
    }


def rounded(feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Round float arrays to float32, so that every backend starts from the same numbers."""
    return {
        name: array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
        for name, array in feeds.items()
    }


def update_program(optimizer: AbstractOptimizer, shape: tuple[int, ...]) -> Program:
    """Return the program of one update of the parameter "p", whose gradient is fed as "g"."""
    builder = Builder("update")
    parameter = StateArray("p", shape, Zeros())
    p, g = builder.input("p", parameter.type), builder.input("g", parameter.type)
    updates = Updates.of(builder, optimizer)
    updates.names.append("p")
    optimizer.emit(updates, [Weight(parameter, p, g)])
    seen = ops.reduce_sum(g, tuple(range(g.rank)))
    function = Function(
        builder.graph([seen, *updates.writes.values()]),
        {p: "p"} | updates.reads,
        ("seen",),
        tuple(updates.writes),
        training=True,
    )
    return Program({"update": function}, {"p": parameter} | updates.slots)


def trajectory(
    backend: Backend,
    optimizer: AbstractOptimizer,
    start: Array,
    gradients: Array,
    device: str = "cpu",
) -> dict[str, Array]:
    """Return the parameter and slots after updates with the given gradients, one per step."""
    program = update_program(optimizer, start.shape)
    executable = backend.compile(program, device)
    rng = randomness.generator(0, "harness")
    slots = {
        name: array.initializer.sample(rng, array.shape)
        for name, array in program.state.items()
        if name != "p"
    }
    executable.write({"p": start} | slots)
    feeds = scalar_feeds(optimizer, range(len(gradients)))
    executable.run("update", feeds | {"g": gradients}, len(gradients))
    return executable.read()


def rates_program(schedules: Mapping[str, AbstractSchedule]) -> Program:
    """Return a program whose step updates one number with each rate by `SGD`; see `rates_read`."""
    builder, optimizer = Builder("rates"), _of_each(schedules)
    zero, gradient = (builder.input(name, TensorType(())) for name in ("zero", "gradient"))
    updates = Updates.of(builder, optimizer)
    updates.names.extend(schedules)
    arrays = [StateArray(name, (), Zeros()) for name in schedules]
    optimizer.emit(updates, [Weight(array, zero, gradient) for array in arrays])
    moved = [ops.reshape(updates.writes[name], (1,)) for name in schedules]
    row = ops.concat(moved, 0) if len(moved) > 1 else moved[0]
    state = {"last": StateArray("last", (len(moved),), Zeros(), trainable=False)}
    function = Function(builder.graph([row, row]), {}, ("rates",), ("last",), training=True)
    return Program({"step": function}, state)


def rates_read(
    backend: Backend,
    schedules: Mapping[str, AbstractSchedule],
    steps: int,
    block: int,
    device: str = "cpu",
) -> dict[str, Array]:
    """Return the learning rate that each step of a compiled update reads, for each schedule.

    Plain gradient descent with p = 0 and g = -1 gives 0 - rate · (-1), which is exactly the rate.
    One program has all schedules; each call runs `block` steps.
    """
    executable, optimizer = backend.compile(rates_program(schedules), device), _of_each(schedules)
    blocks: list[Array] = []
    for first in range(0, steps, block):
        feeds: dict[str, Array] = {"zero": np.zeros(block), "gradient": np.full(block, -1.0)}
        feeds |= scalar_feeds(optimizer, range(first, first + block))
        blocks.append(executable.run("step", feeds, block)["rates"])
        np.testing.assert_array_equal(executable.read()["last"], blocks[-1][-1])
    return dict(zip(schedules, np.concatenate(blocks).T, strict=True))


def _of_each(schedules: Mapping[str, AbstractSchedule]) -> ParameterGroups:
    return ParameterGroups({name: SGD(schedule) for name, schedule in schedules.items()})
