"""`Difference`: where two trainings differ by more than rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.allowance import Allowance
from dnnbridge.doctor.sides import STAGES, Record, Spot, Stage

PLACES: Mapping[Stage, str] = {
    "start": "in what {} starts with",
    "input": "in the input {}",
    "layer": "in the output of layer {}",
    "loss": "in the loss",
    "gradient": "in the gradient of {}",
    "update": "in the update of {}",
    "weights": "in the new value of {}",
    "statistics": "in the running statistics {}",
    "slots": "in the optimizer's array {}",
    "rate": "in the learning rate",
    "metrics": "in {}",
    "validation": "in {} of the validation",
}
"""Each stage in a sentence."""


@dataclass(frozen=True)
class Difference:
    """A difference that rounding does not explain.

    Attributes:
        step: the step, counted from 1; 0 is before the first.
        stage: what differs: "layer", "gradient", "update", and so on.
        where: the path of the layer, or the name of the weight or metric.
        error: the relative difference, |b - a| / |reference|, of Euclidean norms.
        allowed: what rounding explains.
    """

    step: int
    stage: Stage
    where: str
    error: float
    allowed: float

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return PLACES[self.stage].format(self.where)

    def __str__(self) -> str:
        return (
            f"step {self.step}, {self.place}: {self.error:.1e} where rounding allows "
            f"{self.allowed:.1e}"
        )


@dataclass(frozen=True)
class Compared:
    """A comparison at one place.

    Attributes:
        spot: the place.
        error: the relative difference.
        allowed: what rounding explains.
    """

    spot: Spot
    error: float
    allowed: float

    @property
    def ratio(self) -> float:
        """The error as a share of what is allowed."""
        return self.error / self.allowed

    @property
    def agrees(self) -> bool:
        """Whether rounding explains it."""
        return self.error <= self.allowed


def compared(a: Record, b: Record, allowance: Allowance) -> list[Compared]:
    """Compare what two sides have made of a step, in the order of a step."""
    found = _in_order(_compared(a, b, allowance))
    if not all(each.agrees for each in found) and allowance.draw():
        return _in_order(_compared(a, b, allowance))
    return found


def _in_order(found: Iterator[Compared]) -> list[Compared]:
    """Return comparisons in the order of a step: a gradient of one side alone comes late."""
    return sorted(found, key=lambda each: STAGES.index(each.spot.stage))


def _compared(a: Record, b: Record, allowance: Allowance) -> Iterator[Compared]:
    for spot, array in a.items():
        other = b.get(spot)
        if other is None and spot.stage == "gradient":  # frozen on the other side
            other = np.zeros_like(array)
        if other is not None:
            yield Compared(spot, _distance(spot, array, other, allowance), allowance.allowed(spot))
    for spot, array in b.items():
        if spot not in a and spot.stage == "gradient":
            zeros = np.zeros_like(array)
            yield Compared(spot, _distance(spot, zeros, array, allowance), allowance.allowed(spot))


def _distance(spot: Spot, a: Array, b: Array, allowance: Allowance) -> float:
    return allowance.error(spot, a, b)
