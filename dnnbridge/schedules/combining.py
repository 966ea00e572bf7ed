"""Schedules built from other schedules."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.schedules.base import SCHEDULE_FORMS, AbstractSchedule, ScheduleField, as_schedule
from dnnbridge.specs.fields import Float, NonNegativeFloat, PositiveInt
from dnnbridge.specs.json_types import listed, read_as
from dnnbridge.specs.spec import spec


def _schedules(value: Any) -> tuple[AbstractSchedule, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise SpecError("expected a list of schedules", got=shorten(value))
    return tuple(map(as_schedule, value))


@spec
class Join(AbstractSchedule):
    """One schedule after another; each counts its own steps from 0

    Args:
        schedules: schedules or numbers.
        boundaries: the first step of each schedule after the first, in ascending order.

    Example:
        >>> Join([0.1, 0.01], boundaries=[2]).values(4)
        [0.1, 0.1, 0.01, 0.01]
    """

    schedules: Annotated[
        tuple[AbstractSchedule, ...],
        PlainValidator(_schedules),
        read_as(listed(*SCHEDULE_FORMS, least=1)),
    ]
    boundaries: tuple[PositiveInt, ...]

    def __post_init__(self) -> None:
        wanted = len(self.schedules) - 1
        if len(self.boundaries) != wanted or list(self.boundaries) != sorted(set(self.boundaries)):
            raise SpecError(
                f"{wanted + 1} schedules need {wanted} ascending boundaries",
                where=".boundaries",
                got=str(self.boundaries),
            )

    def __call__(self, step: int) -> float:
        place = bisect_right(self.boundaries, step)
        begin = self.boundaries[place - 1] if place else 0
        return self.schedules[place](step - begin)


@spec
class Scaled(AbstractSchedule):
    """A schedule times a number

    Example:
        >>> Scaled(0.1, 0.5)(0)
        0.05
    """

    schedule: ScheduleField
    factor: Float

    def __call__(self, step: int) -> float:
        return self.factor * self.schedule(step)


@spec
class Warmup(AbstractSchedule):
    """A straight line from `start` up to the schedule's first value, then the schedule

    Args:
        schedule: what follows the warm-up; its step 0 is the first step after the warm-up.
        steps: number of warm-up steps.
        start: the rate of the first update.

    Example:
        >>> Warmup(0.1, steps=2).values(4)
        [0.0, 0.05, 0.1, 0.1]
    """

    schedule: ScheduleField
    steps: PositiveInt
    start: NonNegativeFloat = 0.0

    def __call__(self, step: int) -> float:
        following = self.schedule
        if step >= self.steps:
            return following(step - self.steps)
        return self.start + (following(0) - self.start) * step / self.steps


@spec
class Staircase(AbstractSchedule):
    """A schedule in stairs: each group of `steps` steps has the value of its first step

    Args:
        schedule: read at every multiple of `steps`.
        steps: width of a stair.

    Example:
        >>> from dnnbridge import PolynomialDecay
        >>> Staircase(PolynomialDecay(0.5, decay_steps=4, end_learning_rate=0.0), steps=2).values(5)
        [0.5, 0.5, 0.25, 0.25, 0.0]
    """

    schedule: ScheduleField
    steps: PositiveInt

    def __call__(self, step: int) -> float:
        return self.schedule(step // self.steps * self.steps)


@spec
class PerEpoch(AbstractSchedule):
    """A schedule of the epoch: the same value at every step of an epoch

    Args:
        schedule: a schedule whose step is the number of finished epochs.
        steps_per_epoch: number of updates in an epoch.

    Example:
        >>> from dnnbridge import ExponentialDecay
        >>> every_other = ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5, staircase=True)
        >>> PerEpoch(every_other, steps_per_epoch=2).values(6)
        [0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    """

    schedule: ScheduleField
    steps_per_epoch: PositiveInt

    def __call__(self, step: int) -> float:
        return self.schedule(step // self.steps_per_epoch)
