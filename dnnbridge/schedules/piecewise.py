"""Step functions."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, Self

from dnnbridge.errors import SpecError
from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.specs.fields import NonNegativeFloat, NonNegativeInt
from dnnbridge.specs.spec import spec


@spec
class PiecewiseConstant(AbstractSchedule):
    """rates[i] between two boundaries; there is one rate more than boundaries

    Args:
        boundaries: steps, in ascending order.
        rates: learning rates, one before each boundary and one after the last.
        boundary_step: the interval that the step equal to a boundary belongs to. `"later"`, the
            default: the rate changes at that step, as with MindSpore's milestones. `"earlier"`:
            it changes one step after, as in Keras.

    Example:
        >>> PiecewiseConstant((2, 3), (0.1, 0.05, 0.01)).values(5)
        [0.1, 0.1, 0.05, 0.01, 0.01]
        >>> PiecewiseConstant.keras((2, 3), (0.1, 0.05, 0.01)).values(5)
        [0.1, 0.1, 0.1, 0.05, 0.01]
    """

    boundaries: tuple[NonNegativeInt, ...]
    rates: tuple[NonNegativeFloat, ...]
    boundary_step: Literal["later", "earlier"] = "later"

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.boundaries) + 1:
            raise SpecError(
                "the number of rates must be the number of boundaries plus 1",
                got=f"{len(self.rates)} rates and {len(self.boundaries)} boundaries",
                hint="Give one rate before each boundary and one after the last.",
            )
        if any(a >= b for a, b in pairwise(self.boundaries)):
            raise SpecError(
                "boundaries must ascend",
                got=repr(self.boundaries),
                hint="Sort them and remove duplicates.",
            )

    def __call__(self, step: int) -> float:
        find = bisect.bisect_right if self.boundary_step == "later" else bisect.bisect_left
        return self.rates[find(self.boundaries, step)]

    @classmethod
    def keras(cls, boundaries: Sequence[int], values: Sequence[float]) -> Self:
        """Return `keras.optimizers.schedules.PiecewiseConstantDecay` with these arguments."""
        return cls(tuple(boundaries), tuple(values), "earlier")

    @classmethod
    def mindspore(cls, milestone: Sequence[int], learning_rates: Sequence[float]) -> Self:
        """Return the schedule of `mindspore.nn.piecewise_constant_lr`; the last rate stays.

        MindSpore's list ends at the last milestone, and its optimizer fails there. Here the last
        rate continues.
        """
        return cls(tuple(milestone[:-1]), tuple(learning_rates), "later")


def PiecewiseConstantDecay(  # noqa: N802
    boundaries: Sequence[int], values: Sequence[float]
) -> PiecewiseConstant:
    """Return Keras' schedule of this name: the rate changes one step after a boundary.

    Example:
        >>> PiecewiseConstantDecay([1], [0.1, 0.05]).values(3)
        [0.1, 0.1, 0.05]
    """
    return PiecewiseConstant.keras(boundaries, values)
