"""Where two trainings start: `align` gives both the same arrays, and so says what it took away."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.arguments import Argument, arguments_of, mended
from dnnbridge.doctor.causes import Cause, of_argument
from dnnbridge.doctor.differences import Difference
from dnnbridge.doctor.rules import RULES
from dnnbridge.doctor.subject import subject_of
from dnnbridge.errors import DnnbridgeError
from dnnbridge.experiment import Experiment

SURE = 5.0
"""Standard errors by which the spread of two random arrays must differ."""

LISTED = 6
"""Weights that a sentence names."""


def of_slots(a: Experiment, b: Experiment) -> list[tuple[Difference, Cause]]:
    """Return the arguments that let the arrays of an optimizer start with other numbers.

    Each is found once, at its first array.

    Args:
        a: what the first side trains.
        b: what the second trains, with the names of the first.
    """
    found: list[tuple[Difference, Cause]] = []
    while (array := _first_apart(a, b)) is not None:
        name, here, there = array
        argument = _argument(a, b, name)
        if argument is None:
            break
        error = abs(there - here) / max(abs(here), abs(there))
        found.append((Difference(0, "start", name, error, 0.0), of_argument(argument, a)))
        b = mended(a, b, argument)
    return found


def _starts(experiment: Experiment) -> dict[str, float]:
    """Return the number with which each array of an optimizer starts."""
    made = {}
    for name, array in experiment.program().state.items():
        if ":" in name:
            made[name] = float(np.ravel(array.initializer((1,)))[0])
    return made


def _first_apart(a: Experiment, b: Experiment) -> tuple[str, float, float] | None:
    theirs = _starts(b)
    for name, here in _starts(a).items():
        if theirs.get(name, here) != here:
            return name, here, theirs[name]
    return None


def _argument(a: Experiment, b: Experiment, name: str) -> Argument | None:
    """Return the argument that makes an array start with another number."""
    for each in arguments_of(a, b):
        if each.field == "optimizer":
            try:
                made = _starts(mended(a, b, each))
            except DnnbridgeError:  # the values do not fit the rest
                continue
            if made.get(name) == _starts(a)[name]:
                return each
    return None


class Spread(NamedTuple):
    """The numbers of an array in short.

    Attributes:
        center: their mean; their value if all are equal.
        deviation: their standard deviation.
        doubt: the standard error of the logarithm of `deviation`.
    """

    center: float
    deviation: float
    doubt: float

    def __str__(self) -> str:
        if not self.deviation:
            return f"{self.center:.3g}"
        return f"random with a deviation of {self.deviation:.2g}"


def spread_of(array: Array) -> Spread:
    """Return the spread of an array.

    Example:
        >>> import numpy as np
        >>> print(spread_of(np.zeros(3)), spread_of(np.arange(8.0)), sep=", ")
        0, random with a deviation of 2.3
    """
    numbers = np.ravel(array).astype(np.float64)
    center, deviation = float(numbers.mean()), float(numbers.std())
    if numbers.size < 2 or np.ptp(numbers) == 0.0:
        return Spread(float(numbers[0]), 0.0, 0.0)
    kurtosis = float(np.mean(((numbers - center) / deviation) ** 4))
    return Spread(center, deviation, math.sqrt(max(kurtosis - 1.0, 0.5) / (4 * numbers.size)))


def apart(a: Spread, b: Spread) -> bool:
    """Whether two arrays were not drawn from one distribution, as far as their spreads say.

    Example:
        >>> zero, one = Spread(0.0, 0.0, 0.0), Spread(0.0, 1.0, 0.1)
        >>> apart(zero, one), apart(one, Spread(0.1, 1.2, 0.1))
        (True, False)
    """
    if not a.deviation or not b.deviation:
        return (a.center, a.deviation) != (b.center, b.deviation)
    return abs(math.log(a.deviation / b.deviation)) > SURE * math.hypot(a.doubt, b.doubt)


def of_weights(experiment: Experiment, a: Mapping[str, Array], b: Mapping[str, Array]) -> list[str]:
    """Return a sentence for each rule by which weights of two trainings start otherwise.

    Args:
        experiment: what the first side trains.
        a: weights of the first side.
        b: weights of the second, by names of the first.
    """
    by_rule: dict[str, list[str]] = {}
    for name, here, there in _pairs(experiment, a, b):
        if apart(here, there):
            said = f"{name} ({here} in the first, {there} in the second)"
            by_rule.setdefault(_rule(experiment, name), []).append(said)
    return [_sentence(rule, said) for rule, said in by_rule.items()]


def _pairs(
    experiment: Experiment, a: Mapping[str, Array], b: Mapping[str, Array]
) -> Iterator[tuple[str, Spread, Spread]]:
    for array in experiment.program().layer_arrays:
        if array.name in a and array.name in b:
            yield array.name, spread_of(a[array.name]), spread_of(b[array.name])


def _sentence(rule: str, said: list[str]) -> str:
    more = f", and {len(said) - LISTED} more" if len(said) > LISTED else ""
    name = f" [{rule}]" if rule else ""
    return (
        "Both are compared from the weights of the first; by themselves they start with other "
        f"ones{name}: {'; '.join(said[:LISTED])}{more}."
    )


def _rule(experiment: Experiment, weight: str) -> str:
    """Return the rule of how a weight starts, "" if none is about its layer."""
    layer = weight.rpartition("/")[0]
    subject = subject_of(experiment)
    for rule in RULES.values():
        if rule.stage == "start" and rule.needs == "start":
            places = [place.where.partition(".")[0] for place in rule.found(subject)]
            if any(place == layer or layer.startswith(f"{place}/") for place in places):
                return rule.name
    return ""
