"""A schedule that is read at every few steps."""

from __future__ import annotations

from dnnbridge.schedules.base import AbstractSchedule, ScheduleField
from dnnbridge.specs.fields import NonNegativeInt, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Strided(AbstractSchedule):
    """schedule(step · steps + offset)

    A schedule that is meant for batches where the optimizer counts updates. With
    `gradient_accumulation_steps=n` a Keras optimizer asks for the rate of a batch: its update k has
    that of batch k · n + n - 1, which is `Strided(schedule, n, n - 1)` here.

    Args:
        schedule: what is read.
        steps: how many of its steps go by in one.
        offset: where it is read first.

    Example:
        >>> from dnnbridge import PiecewiseConstant
        >>> Strided(PiecewiseConstant((3,), (0.1, 0.01)), steps=2, offset=1).values(3)
        [0.1, 0.01, 0.01]
    """

    schedule: ScheduleField
    steps: PositiveInt
    offset: NonNegativeInt = 0

    def __call__(self, step: int) -> float:
        return self.schedule(step * self.steps + self.offset)
