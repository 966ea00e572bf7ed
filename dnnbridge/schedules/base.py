"""What a learning-rate schedule is: a pure function of the step, computed in float64."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.fields import Float
from dnnbridge.specification import Spec, named, spec


class AbstractSchedule(Spec):
    """Base of schedules.

    A subclass defines `__call__`. The step is the number of updates already made: 0 for the first
    one, as in both frameworks. Give epochs instead of steps to use a schedule per epoch.
    """

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the value for the update number `step`, counted from 0."""

    def values(self, count: int) -> list[float]:
        """Return the values of the first `count` steps."""
        return [self(step) for step in range(count)]


@spec
class ConstantSchedule(AbstractSchedule):
    """The same value at every step; what a plain number stands for.

    Example:
        >>> ConstantSchedule(0.1).values(3)
        [0.1, 0.1, 0.1]
    """

    value: Float

    def __call__(self, step: int) -> float:
        return self.value


_resolve = named(AbstractSchedule)


def as_schedule(value: Any) -> AbstractSchedule:
    """Return a schedule as it is and a number as a `ConstantSchedule`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ConstantSchedule(float(value))
    return _resolve(value)


ScheduleLike = Annotated[float | AbstractSchedule, PlainValidator(as_schedule)]
"""Field of a number or a schedule."""
