"""`build_program`: from an experiment to the graphs of its program."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dnnbridge import ops
from dnnbridge.emit.declarations import Declarations, StateArray
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, Graph, Value, inline
from dnnbridge.models import AbstractModel
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.loss_scale import AbstractLossScale
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.program.any_rate import for_any_rate, writing
from dnnbridge.program.divisors import divisor_of_step
from dnnbridge.program.forward import Forward
from dnnbridge.program.heads import Head
from dnnbridge.program.lowering import in_precision
from dnnbridge.program.precision import AbstractPrecision
from dnnbridge.program.probes import build_probes
from dnnbridge.program.program import Function, Program
from dnnbridge.program.rematerialising import rematerialised
from dnnbridge.weights.rules import WeightRules


def build_program(
    model: AbstractModel,
    heads: tuple[Head, ...],
    optimizer: AbstractOptimizer,
    rules: WeightRules,
    loss_scale: AbstractLossScale | None,
    precision: AbstractPrecision,
    remat: tuple[str, ...] = (),
) -> Program:
    """Emit the graphs of an experiment, or return the cached program of an equal experiment.

    Experiments whose optimizers differ only in the learning rate have the same program.

    Raises:
        ShapeError, DTypeError, SpecError: with the layer's path.
    """
    own = _Parts(model, heads, optimizer, rules, loss_scale, precision, remat)
    general = for_any_rate(optimizer)
    if general is not None:
        program = _emitted_for_any_rate(own._replace(optimizer=general))
        if program is not None and program.scalars == tuple(optimizer.host_scalars(0)):
            return program
    return _emitted(own)


class _Parts(NamedTuple):
    """The parts of an experiment that determine its program."""

    model: AbstractModel
    heads: tuple[Head, ...]
    optimizer: AbstractOptimizer
    rules: WeightRules
    loss_scale: AbstractLossScale | None
    precision: AbstractPrecision
    remat: tuple[str, ...]


@lru_cache(maxsize=32)
def _emitted_for_any_rate(parts: _Parts) -> Program | None:
    """Return a program that serves every rate, or None if the optimizer writes its rate into it."""
    try:
        return _emitted(parts)
    except Exception:  # emitting with the real rate raises other errors again
        return None


def forget() -> None:
    """Empty the cache of programs."""
    _emitted_for_any_rate.cache_clear()
    _emitted.cache_clear()
    build_probes.cache_clear()


@lru_cache(maxsize=32)
def _emitted(parts: _Parts) -> Program:
    model, heads, optimizer, rules, loss_scale, precision, remat = parts
    forward = Forward(model, heads, rules)
    train, declared, slots = _train(forward, optimizer, loss_scale)
    state = declared.arrays | slots
    functions = {"train": train, "evaluate": forward.evaluate(), "predict": forward.predict}
    if declared.randoms:
        functions["sample"] = forward.sample()
    for name, function in functions.items():
        if unknown := set(function.state.values()) - state.keys():
            raise SpecError(
                f"declared in {name} but not in train",
                where=", ".join(sorted(unknown)),
                hint="Declare the same arrays whether scope.training is true or false.",
            )
    program = Program(
        functions,
        state,
        randoms=tuple(declared.randoms.values()),
        scalars=tuple(optimizer.host_scalars(0)),
        schedules=declared.schedules,
        objectives=forward.objectives,
        outputs=forward.outputs,
        layers=tuple(declared.of_layers),
        replaced=tuple(name for name in declared.arrays if name in declared.rewriting),
        batch_size=declared.batch_size,
        rows=_rows(functions["predict"].graph),
    )
    return rematerialised(in_precision(program, precision), remat)


def _rows(graph: Graph) -> dict[str, int]:
    """Return, by index input, the number of rows of the smallest table that it indexes."""
    indices = {value for value in graph.inputs if value.dtype == "int32"}
    found: dict[str, int] = {}
    for node in inline(graph).nodes if indices else ():
        if isinstance(node.op, ops.Take) and node.inputs[1] in indices:
            size, name = node.inputs[0].type.shape[0], node.inputs[1].name
            found[name] = min(found.get(name, size or 0), size or 0)
    return found


def _train(
    forward: Forward, optimizer: AbstractOptimizer, loss_scale: AbstractLossScale | None
) -> tuple[Function, Declarations, dict[str, StateArray]]:
    builder, declared, given = forward.begin("train")
    rules, updates = forward.rules, Updates.of(builder, optimizer)
    scale = loss_scale.begin(updates) if loss_scale else None
    updates.loss_factor = 1.0 if scale is None else scale
    results: list[str] = []
    buffers: list[str] = []
    terms: set[str] = set()

    def write(body: Builder, values: tuple[Value, ...]) -> list[Value]:
        scope = Scope(body, declared, training=True)
        made = forward.emit(scope, dict(zip(given, values, strict=True)))
        results.extend(made)
        buffers.extend(scope.updates)
        terms.update(scope.terms)
        differentiated = [] if scale is None else [made["loss"] * scale]
        return [*differentiated, *made.values(), *scope.updates.values()]

    outputs, gradients = builder.value_and_grad(
        "forward", list(given.values()), write, forward.moves(declared)
    )
    rules.check(list(declared.arrays.values()))
    if scale is not None:
        outputs = outputs[1:]
    updates.names.extend(name for name, array in declared.arrays.items() if array.trainable)
    weights = [
        Weight(rules.constrained(declared.arrays[declared.name_of(p) or ""]), p, g)
        for p, g in gradients.items()
    ]

    def divisor() -> Value | None:
        made = dict(zip(results, outputs, strict=False))
        return divisor_of_step(forward.objectives, made, declared.batch, terms)

    updates.divisor = divisor
    with writing():
        optimizer.emit(updates, weights)
    count = len(results)
    writes = dict(zip(buffers, outputs[count:], strict=True)) | declared.rewritten | updates.writes
    graph = builder.graph([*outputs[:count], *writes.values()])
    reads = declared.reads | updates.reads
    function = Function(graph, reads, tuple(results), tuple(writes), training=True)
    return function, declared, updates.slots
