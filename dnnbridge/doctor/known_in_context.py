"""`named_by_context`: rules that the values of an argument do not tell alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dnnbridge.doctor.arguments import Argument
from dnnbridge.experiment import Experiment
from dnnbridge.schedules import AbstractSchedule, TableSchedule
from dnnbridge.specs.patterns import named_by

STEPS = 32
"""Steps of two schedules that are compared."""

MOST = 16
"""Largest number of steps of an epoch that is tried."""

BY_EPOCHS = {
    "ExponentialDecay": "exponential-epochs",
    "PolynomialDecay": "polynomial-end",
    "Warmup": "warmup-epochs",
    "LinearWarmup": "warmup-epochs",
}
"""The rule of a schedule that a list of rates goes through by epochs."""


def named_by_context(argument: Argument, experiment: Experiment | None, where: str) -> str | None:
    """Return the name of the rule that an argument is, by the training and by where it shows."""
    if argument.name == "learning_rate":
        return _of_schedules(argument.here, argument.there)
    if argument.name in ("weight_decay", "exempt"):
        return _of_exempt(argument.here, argument.there, where)
    optimizer = getattr(experiment, "optimizer", None)
    if (argument.owner, argument.name) == ("SGD", "rate_in_velocity"):
        return "nesterov-changing-rate" if getattr(optimizer, "nesterov", False) else None
    if (argument.owner, argument.name) == ("CosineDecay", "alpha"):
        return _of_floors(argument, optimizer)
    return None


def _of_schedules(here: Any, there: Any) -> str | None:
    """Return the rule of a list of rates and a schedule."""
    for schedule, table in ((here, there), (there, here)):
        if isinstance(table, TableSchedule) and isinstance(schedule, AbstractSchedule):
            kind, count = type(schedule).__name__, min(STEPS, len(table.table) - 1)
            if kind == "PiecewiseConstant" and _agree(schedule, table, count, lambda k: k + 1):
                return "piecewise-boundary"
            if kind in BY_EPOCHS and _by_epochs(schedule, table, count):
                return BY_EPOCHS[kind]
    return None


def _by_epochs(schedule: AbstractSchedule, table: TableSchedule, count: int) -> bool:
    """Whether each rate of a list is that of the first step of its epoch."""
    return any(
        _agree(schedule, table, count, lambda k, size=size: k // size * size)  # type: ignore[misc]
        for size in range(2, MOST + 1)
    )


def _agree(
    schedule: AbstractSchedule, table: TableSchedule, count: int, at: Callable[[int], int]
) -> bool:
    pairs = ((schedule(at(k)), table(k)) for k in range(count))
    return all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) for a, b in pairs)


def _of_exempt(here: Any, there: Any, where: str) -> str | None:
    """Return the rule if a weight decays on one side alone."""
    patterns = [getattr(each, "exempt", each) for each in (here, there)]
    if not all(isinstance(each, tuple) for each in patterns):  # one side has no weight decay
        return None
    first, second = (named_by(where, each) for each in patterns)
    if first == second:
        return None
    own = where.endswith(("/gamma", "/beta"))
    return "bias-decays" if own else "weight-decay-by-name"


def _of_floors(argument: Argument, optimizer: Any) -> str | None:
    """Return the rule if one floor is the share of a rate, and the other the rate itself."""
    schedule = getattr(optimizer, "learning_rate", None)
    rate = getattr(schedule, "initial_learning_rate", None)
    if not isinstance(rate, float):
        return None
    pairs = ((argument.here, argument.there), (argument.there, argument.here))
    return "cosine-floor" if any(math.isclose(a, b * rate) for a, b in pairs) else None
