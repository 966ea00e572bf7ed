"""`opened`: two subjects as sides of a comparison, with the same masks or without dropout."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from dnnbridge.base.messages import what
from dnnbridge.convert.from_keras import from_keras
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.diagnose.subjects import arrays_of
from dnnbridge.doctor.arguments import Argument, arguments_of
from dnnbridge.doctor.keras_side import RATES, KerasSide
from dnnbridge.doctor.run_side import RunSide
from dnnbridge.doctor.sides import AbstractSide, Batched, renaming
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.experiment import Experiment
from dnnbridge.training.position import Position
from dnnbridge.training.run import Run

QUIET = "Dropout and noise are off on both sides, as Keras draws masks of its own."

TITLES = ("the first", "the second")


class Opened(NamedTuple):
    """Two sides, ready to be compared.

    Attributes:
        a: the first side.
        b: the second side.
        data: the examples.
        notes: what was changed for the comparison, a sentence each.
        rates: rates of dropout that differ, if dropout is off.
        native: whether a side is a model of a framework.
    """

    a: AbstractSide
    b: AbstractSide
    data: Batched
    notes: tuple[str, ...]
    rates: tuple[Argument, ...]
    native: bool


def is_keras(subject: Any) -> bool:
    """Whether this is a live Keras model; imports nothing."""
    modules = (cls.__module__.partition(".")[0] for cls in type(subject).__mro__)
    return "keras" in modules and hasattr(subject, "compute_loss")


def opened(
    subjects: tuple[Any, Any], examples: tuple[Any, Any], batch_size: int, closing: ExitStack
) -> Opened:
    """Return both sides; the first one has its weights still, and `closing` restores both.

    Raises:
        DTypeError: a subject is neither a run nor a compiled Keras model.
        DataError: the models have other weights.
    """
    for where, subject in zip("ab", subjects, strict=True):
        _check(subject, where)
    first, second = (_experiment(subject) for subject in subjects)
    _check_weights(first, second)
    data = _batched(subjects[0], examples, batch_size)
    native = any(map(is_keras, subjects))
    rates = tuple(each for each in arguments_of(first, second) if native and each.name in RATES)
    notes: tuple[str, ...] = ()
    if native and any(quiet(each, ("dropout",))[1] for each in (first, second)):
        first, second = (quiet(each, ("dropout",))[0] for each in (first, second))
        notes = (QUIET,)
    elif not native and second.seed != first.seed:
        second = second.replace(seed=first.seed)
    a = _side(subjects[0], first, data, TITLES[0], None)
    closing.callback(a.close)
    b = _side(subjects[1], second, data, TITLES[1], a.experiment)
    closing.callback(b.close)
    return Opened(a, b, data, notes, rates, native)


def _check(subject: Any, where: str) -> None:
    if isinstance(subject, Run):
        return
    if not is_keras(subject):
        raise DTypeError(
            "align takes a Run or a compiled keras.Model",
            where=where,
            got=what(subject),
            hint="Write db.compile(experiment), or give the live model.",
        )
    if not subject.built or getattr(subject, "optimizer", None) is None:
        raise DataError(
            "the Keras model must be built and compiled",
            where=where,
            hint="Call model.build(shape) and model.compile(optimizer, loss).",
        )


def _experiment(subject: Any) -> Experiment:
    if isinstance(subject, Run):
        return subject.experiment.replace(optimizer=subject.optimizer)
    return from_keras(subject).experiment


def _check_weights(first: Experiment, second: Experiment) -> None:
    a, b = (
        [(array.name, array.shape) for array in each.program().layer_arrays]
        for each in (first, second)
    )
    names = renaming(first, second)
    made = [(names.get(name, name), shape) for name, shape in b]
    if sorted(a) != sorted(made):
        odd = sorted(set(a) ^ set(made))[:4]
        raise DataError(
            "the models must have the same weights",
            where="b",
            got=", ".join(f"{name} {shape}" for name, shape in odd) + " on one side only",
            hint="Give two trainings of one model.",
        )


def _batched(subject: Any, examples: tuple[Any, Any], batch_size: int) -> Batched:
    x, y = examples
    count = len(arrays_of(x)[0])
    if not count:
        raise DataError("there are no examples", where="x", hint="Give at least one row.")
    if isinstance(subject, Run):
        start = subject.position.left() if subject.position.batch else subject.position
    else:
        step = int(subject.optimizer.iterations)
        start = Position(step, past=((step, 0),)) if step else Position()
    return Batched(x, y, count, min(batch_size, count), start)


def _side(
    subject: Any, experiment: Experiment, data: Batched, title: str, first: Experiment | None
) -> AbstractSide:
    if not isinstance(subject, Run):
        return KerasSide(subject, data, f"{title} (Keras)", first)
    compile: Callable[[Experiment], Run] = subject.with_experiment
    side = RunSide(compile, experiment, data, f"{title} ({subject.backend})", first)
    side.place({**side.state(), **_fitting(subject, side)}, 0)
    return side


def _fitting(subject: Run, side: RunSide) -> dict[str, Any]:
    """Return the arrays of a run that its copy has too."""
    state = side.state()
    return {n: a for n, a in subject.state().items() if n in state and state[n].shape == a.shape}


def layer_at(side: AbstractSide, address: tuple[str | int, ...]) -> str:
    """Return the path of the layer that an address of a `Sequential` leads to."""
    names = dict(getattr(side.experiment.model, "named_layers", dict)())
    position = address[2] if len(address) > 2 else None
    if isinstance(position, int) and 0 < position <= len(names):
        return str(list(names)[position - 1])
    return "/".join(map(str, address[1:]))
