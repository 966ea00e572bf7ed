"""A schedule of given values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dnnbridge.errors import ScheduleError
from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.spec import spec


@spec
class TableSchedule(AbstractSchedule):
    """values[step], and after the end the last one, or an error

    What a list stands for wherever a rate is taken: `SGD([0.3, 0.1])`. MindSpore's optimizers take
    such lists too, and fail after their end.

    Args:
        table: the value of every step.
        after: what follows the end. "last": the last value goes on. "error": a training that
            needs one more is refused.

    Example:
        >>> TableSchedule([0.3, 0.1]).values(3)
        [0.3, 0.1, 0.1]
        >>> from dnnbridge import SGD, exponential_decay_lr
        >>> SGD(exponential_decay_lr(0.1, 0.5, 4, 2, 1)).learning_rate.table
        (0.1, 0.1, 0.05, 0.05)
    """

    table: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
    after: Literal["last", "error"] = "last"

    def __call__(self, step: int) -> float:
        if step >= len(self.table) and self.after == "error":
            raise ScheduleError(
                f"the table has values for {len(self.table)} steps",
                where="TableSchedule",
                got=f"step {step}, counted from 0",
                hint='Give more values, train fewer steps, or write after="last".',
            )
        return self.table[min(step, len(self.table) - 1)]
