"""Compute the values of a schedule named on the command line."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dnnbridge import schedules
from dnnbridge.base.messages import close_match
from dnnbridge.cli.reading import read_experiment
from dnnbridge.cli.values import parse_pair, parse_value
from dnnbridge.errors import ScheduleTypeError, SpecError
from dnnbridge.schedules import AbstractSchedule, as_schedule
from dnnbridge.specs.spec import kind_of, kinds

T = TypeVar("T")

STEPS = 20

LISTS: dict[str, Callable[..., list[float]]] = {
    name: getattr(schedules, name) for name in schedules.__all__ if name.endswith("_lr")
}

NATIVE: dict[str, Callable[..., AbstractSchedule]] = {
    name: getattr(schedules, name)
    for name in schedules.__all__
    if name[0].isupper() and inspect.isfunction(getattr(schedules, name))
}
"""Functions with the names of framework classes."""


def schedule_values(
    name: str, values: Sequence[str], pairs: Sequence[str], steps: int | None
) -> list[float]:
    """Return the values of a schedule class, a list function, or an experiment's learning rate.

    Example:
        >>> schedule_values("LinearWarmup", ["0.1"], ["warmup_steps=2"], 3)
        [0.0, 0.05, 0.1]
    """
    classes = _classes()
    positional = [parse_value(text, f"value {i}") for i, text in enumerate(values, 1)]
    named = _named(pairs)
    if name in LISTS:
        if steps is not None:
            raise _useless("--steps", name, "its arguments set the number of steps")
        return _call(LISTS[name], positional, named)
    if name in classes:
        return _make(classes[name], positional, named).values(steps or STEPS)
    if name in NATIVE:
        return _call(NATIVE[name], positional, named).values(steps or STEPS)
    if not name.endswith((".py", ".json")):
        hint = close_match(name, [*classes, *NATIVE, *LISTS, "FILE.py", "FILE.json"])
        raise SpecError("unknown schedule", where="schedule", got=repr(name), hint=hint)
    if positional or named:
        raise _useless("arguments", name, "the file defines the schedule")
    return _learning_rate(Path(name)).values(steps or STEPS)


def quantity_of(name: str) -> str:
    """Return the quantity that a schedule gives, as the label of an axis."""
    return _classes().get(name, AbstractSchedule).quantity


def _classes() -> dict[str, type[AbstractSchedule]]:
    return {cls.__name__: cls for cls in kinds(AbstractSchedule)}


def _named(pairs: Sequence[str]) -> dict[str, Any]:
    named = dict(map(parse_pair, pairs))
    if len(named) < len(pairs):
        raise SpecError("a name is given twice", where="--arg", got=" ".join(pairs))
    return named


def _call(function: Callable[..., T], positional: list[Any], named: dict[str, Any]) -> T:
    try:
        bound = inspect.signature(function).bind(*positional, **named)
    except TypeError as error:
        takes = ", ".join(inspect.signature(function).parameters)
        name = function.__name__
        raise ScheduleTypeError(str(error), where=name, hint=f"It takes {takes}.") from None
    return function(*bound.args, **bound.kwargs)


def _make(
    cls: type[AbstractSchedule], positional: list[Any], named: dict[str, Any]
) -> AbstractSchedule:
    """Make a schedule through its JSON form, which may contain other specs."""
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    twice = sorted(named.keys() & set(names[: len(positional)]))
    if twice or len(positional) > len(names):
        raise ScheduleTypeError(
            "too many values",
            where=cls.__name__,
            got=f"{len(positional)} by position and {', '.join(named) or 'none'} by name",
            hint=f"It takes {', '.join(names)}.",
        )
    given = dict(zip(names, positional, strict=False))
    return AbstractSchedule.from_dict({"kind": kind_of(cls)} | given | named)


def _learning_rate(path: Path) -> AbstractSchedule:
    if not path.is_file():
        raise SpecError(
            "no such file", got=str(path), hint="Give an experiment file, or a schedule."
        )
    optimizer = read_experiment(path).optimizer
    while inner := getattr(optimizer, "optimizer", None):  # unwrap Lookahead and the like
        optimizer = inner
    rate = getattr(optimizer, "learning_rate", None)
    if rate is None:
        raise SpecError(
            f"{type(optimizer).__name__} has no learning_rate",
            where=str(path),
            hint="Choose an experiment whose optimizer has one.",
        )
    return as_schedule(rate)


def _useless(what: str, name: str, why: str) -> SpecError:
    return SpecError(f"{name} takes no {what}", where=what, hint=f"Remove {what}: {why}.")
