"""What a learning-rate schedule is: a pure function of the step, computed in float64."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import PlainValidator

from dnnbridge.drawing.drawing import Drawing
from dnnbridge.schedules.plotting import svg_of
from dnnbridge.specs.fields import Converted, NonNegativeFloat, plain
from dnnbridge.specs.resolving import find_named, named, wrong_kind
from dnnbridge.specs.spec import Spec, spec


class AbstractSchedule(Spec):
    """Base of schedules.

    A subclass defines `__call__`. The step is the number of updates already made: 0 for the first
    one, as in both frameworks.

    Any schedule can go by the epoch, `PerEpoch(schedule, steps_per_epoch)`, and in stairs,
    `Staircase(schedule, steps)`; the decays that have it in a framework take `staircase=True` too.

    The class attribute `quantity` names the values in a drawing.
    """

    quantity: ClassVar[str] = "learning rate"

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the value for the update number `step`, counted from 0."""

    def values(self, count: int) -> list[float]:
        """Return the values of the first `count` steps."""
        return [self(step) for step in range(count)]

    def heard(self, logs: Mapping[str, object]) -> AbstractSchedule:
        """Return the schedule that follows when an epoch had these losses and metrics.

        Most listen to nothing and return themselves. What other schedules in it hear is not its
        business: the function `heard` tells every schedule of a spec.
        """
        return self

    def plot(self, path: str | Path | None = None, steps: int = 100) -> Drawing:
        """Return a drawing of the first values; a notebook shows it.

        Args:
            path: SVG file to write besides.
            steps: how many values.

        Raises:
            PackageNotInstalledError: the packages of the extra `report` are missing.

        Example:
            >>> ConstantSchedule(0.1).plot(steps=3).svg[:4]
            '<svg'
        """
        drawing = Drawing(svg_of(type(self).__name__, self.values(steps), self.quantity))
        if path is not None:
            drawing.save(path)
        return drawing


@spec
class ConstantSchedule(AbstractSchedule):
    """The same value at every step; what a plain number stands for.

    Example:
        >>> ConstantSchedule(0.1).values(3)
        [0.1, 0.1, 0.1]
    """

    value: NonNegativeFloat

    def __call__(self, step: int) -> float:
        return self.value


_resolve = named(AbstractSchedule)


def as_schedule(value: Any) -> AbstractSchedule:
    """Return a schedule as it is; a number stays as it is, a list has the value of every step."""
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
            wanted="a number, a schedule, or a list with the number of every step",
        )
    return value


ScheduleLike = Annotated[float | Sequence[float] | AbstractSchedule, PlainValidator(as_schedule)]
"""Field of a number, a schedule, or a list with the value of every step."""

if TYPE_CHECKING:
    ScheduleField = Converted[AbstractSchedule, ScheduleLike]
else:
    ScheduleField = ScheduleLike
"""What it holds once it is made."""
