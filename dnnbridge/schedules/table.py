"""A schedule given by a list of values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dnnbridge.errors import ScheduleError
from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.spec import spec


@spec
class TableSchedule(AbstractSchedule):
    """values[step]; after the end the last value, or an error

    A list stands for it wherever a rate is accepted: `SGD([0.3, 0.1])`. MindSpore's optimizers
    accept such lists too, and fail after the end.

    Args:
        table: the value of every step.
        after: what happens after the end. "last": the last value continues. "error": a training
            that needs another value fails.

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
                f"the table has only {len(self.table)} values",
                where="TableSchedule",
                got=f"step {step}, counted from 0",
                hint='Give more values, train fewer steps, or write after="last".',
            )
        return self.table[min(step, len(self.table) - 1)]
