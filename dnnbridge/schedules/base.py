"""`AbstractSchedule`: a pure function of the step, computed in float64."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import PlainValidator

from dnnbridge.base.messages import what
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.drawing.notebook import block, chart
from dnnbridge.errors import DTypeError, SpecError
from dnnbridge.schedules.plotting import drawing_of, overview
from dnnbridge.specs.fields import Converted, NonNegativeFloat, plain
from dnnbridge.specs.json_types import NOT_NEGATIVE, by_name, listed, of_kind, read_as
from dnnbridge.specs.resolving import find_named, named, wrong_kind
from dnnbridge.specs.spec import Spec, spec

NUMBERS = (int, float, np.integer, np.floating)
"""What a step may be: most schedules are defined between steps too."""


class AbstractSchedule(Spec):
    """Base of schedules.

    A subclass defines `__call__`. The step is the number of updates already made: 0 for the first
    update, as in both frameworks.

    `PerEpoch(schedule, steps_per_epoch)` makes any schedule change by the epoch.
    `Staircase(schedule, steps)` makes any schedule change in stairs. Decays that have
    `staircase=True` in a framework accept it here too.

    The class attribute `quantity` names the values in a drawing.
    """

    quantity: ClassVar[str] = "learning rate"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__call__" in vars(cls):
            cls.__call__ = _of_a_number(cls.__call__)  # type: ignore[method-assign]

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the value for the update number `step`, counted from 0."""

    @classmethod
    def of_field(cls, value: Any) -> AbstractSchedule:
        return as_schedule(value)

    def values(self, count: int) -> list[float]:
        """Return the values of the first `count` steps."""
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 0:
            raise SpecError(
                "must be a whole number of 0 or more",
                where=f"{type(self).__name__}.values",
                got=what(count),
                hint="Give the number of steps.",
            )
        return [self(step) for step in range(count)]

    def heard(self, logs: Mapping[str, object]) -> AbstractSchedule:
        """Return the schedule to use after an epoch with these losses and metrics.

        Most schedules ignore them and return themselves. A schedule need not inform the schedules
        inside it: the function `heard` calls this method on every schedule of a spec.
        """
        return self

    def plot(self, path: str | Path | None = None, steps: int = 100) -> Drawing:
        """Return a drawing of the first values; a notebook shows it.

        Args:
            path: SVG file to write as well.
            steps: how many values.

        Raises:
            PackageNotInstalledError: the packages of the extra `report` are missing.

        Example:
            >>> ConstantSchedule(0.1).plot(steps=3).svg[:4]
            '<svg'
        """
        drawing = drawing_of(type(self).__name__, self.values(steps), self.quantity)
        if path is not None:
            drawing.save(path)
        return drawing

    def _repr_html_(self) -> str:
        title = f"{type(self).__name__}: {self.quantity}"
        return block(repr(self), chart(lambda: overview({"": self}, title)))


def _of_a_number(call: Callable[..., float]) -> Callable[..., float]:
    """Return the call of a schedule that refuses a step that is no number, or too large a power."""

    @wraps(call)
    def checked(self: AbstractSchedule, step: int) -> float:
        if isinstance(step, NUMBERS) and step == step:  # not NaN
            try:
                return call(self, step)
            except OverflowError:
                raise SpecError(
                    "a power in the schedule is larger than any float",
                    where=type(self).__name__,
                    got=f"step {step}",
                    hint="Give smaller numbers to the schedule, or train for fewer steps.",
                ) from None
        raise DTypeError(
            "the step must be a number",
            where=type(self).__name__,
            got=what(step),
            hint="Write schedule(10), or schedule.values(10) for the first ten.",
        )

    return checked


@spec
class ConstantSchedule(AbstractSchedule):
    """The same value at every step; a plain number stands for it.

    Example:
        >>> ConstantSchedule(0.1).values(3)
        [0.1, 0.1, 0.1]
    """

    value: NonNegativeFloat

    def __call__(self, step: int) -> float:
        return self.value


_resolve = named(AbstractSchedule)


def as_schedule(value: Any) -> AbstractSchedule:
    """Return a schedule: from itself, a number, or a list with the value of every step."""
    from dnnbridge.schedules.table import TableSchedule

    value = value.tolist() if isinstance(value, np.ndarray) else plain(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ConstantSchedule(float(value))
    if isinstance(value, (list, tuple)):
        return TableSchedule(tuple(value))
    if isinstance(value, str) and find_named(AbstractSchedule, value) is not None:
        return _resolve(value)
    if not isinstance(value, AbstractSchedule):
        raise wrong_kind(
            AbstractSchedule,
            value,
            wanted="a number, a schedule, or a list with the value of every step",
        )
    return value


SCHEDULE_FORMS = (
    of_kind(AbstractSchedule),
    by_name(AbstractSchedule),
    NOT_NEGATIVE,
    listed(NOT_NEGATIVE, least=1),
)
"""What JSON holds of a schedule."""

ScheduleLike = Annotated[
    float | Sequence[float] | AbstractSchedule,
    PlainValidator(as_schedule),
    read_as(*SCHEDULE_FORMS),
]
"""Field of a number, a schedule, or a list with the value of every step."""

ScheduleField = Converted[AbstractSchedule, ScheduleLike]
"""What the field holds after validation."""
