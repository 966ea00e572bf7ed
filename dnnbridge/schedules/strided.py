"""A schedule read at every n-th step."""

from __future__ import annotations

from dnnbridge.schedules.base import AbstractSchedule, ScheduleField
from dnnbridge.specs.fields import NonNegativeInt, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Strided(AbstractSchedule):
    """schedule(step · steps + offset)

    Use it for a schedule that counts batches in an optimizer that counts updates. With
    `gradient_accumulation_steps=n` a Keras optimizer takes the rate by batch: update k has the
    rate of batch k · n + n - 1. Here that is `Strided(schedule, n, n - 1)`.

    Args:
        schedule: the schedule to read.
        steps: number of its steps per step of this one.
        offset: the step to read first.

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
