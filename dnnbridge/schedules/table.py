"""A schedule of given values."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dnnbridge.fields import Float
from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.specification import spec


@spec
class TableSchedule(AbstractSchedule):
    """values[step], and after the end the last one

    What a list as `learning_rate` is to MindSpore's optimizers, which fail after its end.

    Example:
        >>> TableSchedule([0.3, 0.1]).values(3)
        [0.3, 0.1, 0.1]
    """

    table: Annotated[tuple[Float, ...], Field(min_length=1)]

    def __call__(self, step: int) -> float:
        return self.table[min(step, len(self.table) - 1)]
