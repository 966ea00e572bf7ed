"""`Link`: two sides that are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnnbridge.doctor.allowance import Allowance
from dnnbridge.doctor.sides import AbstractSide, Batched, Spot
from dnnbridge.experiment import Experiment


@dataclass
class Link:
    """Two sides that should compute the same.

    Attributes:
        a: the one that is taken as right.
        b: the other one.
        allowance: what rounding allows, by the settings of `a`.
        native: whether `b` is a live model and `a` a run of its settings, so that no argument
            can be the cause.
        mended: whether `b` goes on as the backend of `a` computes it.
        ended: whether they differ in a way that cannot be mended.
        narrow: places a little above what rounding allows, which are not counted in this step.
    """

    a: AbstractSide
    b: AbstractSide
    allowance: Allowance
    native: bool = False
    mended: bool = False
    ended: bool = False
    narrow: set[Spot] = field(default_factory=set)


class Allowances:
    """What rounding allows for each experiment; equal ones share it.

    Args:
        data: the examples.
        first: of the first side, whose names the places have.
        double: whether both sides compute in float64.
    """

    def __init__(self, data: Batched, first: Experiment, double: bool = False) -> None:
        self.data, self.first, self.double = data, first, double
        self.made: list[Allowance] = []

    def of(self, experiment: Experiment, native: bool) -> Allowance:
        """Return the allowance of an experiment; `native` is that of a framework's optimizer."""
        for each in self.made:
            if each.experiment == experiment and each.native == native:
                return each
        self.made.append(Allowance(experiment, self.data, native, self.first, self.double))
        return self.made[-1]
