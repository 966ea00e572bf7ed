"""Options for reading a framework's live optimizer, and helpers for its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.warning import NativeDifferenceWarning as NativeDifferenceWarning
from dnnbridge.errors import SpecError
from dnnbridge.schedules.table import TableSchedule


@dataclass(frozen=True)
class NativeOptions:
    """What a native optimizer cannot tell about itself.

    Attributes:
        names: maps a native weight name to ours; None uses the backend's mapping.
        exempt: patterns of further weights that do not decay, besides the known ones.
        steps: how many values to read from a schedule that is not one of the framework's own.
    """

    names: Callable[[str], str] | None = None
    exempt: tuple[str, ...] = ()
    steps: int | None = None

    def tabulated(self, schedule: Callable[[int], float], what: str) -> TableSchedule:
        """Return the values of a schedule that only the framework can compute."""
        if self.steps is None:
            raise SpecError(
                "cannot read this schedule as a formula",
                where="from_native",
                got=what,
                hint="Give steps=… to read that many of its values, or replace the rate: "
                "optimizer.with_rate(lambda rate: …).",
            )
        return TableSchedule(tuple(schedule(step) for step in range(self.steps)))


def shortest(value: float) -> float:
    """Return the shortest decimal of a float32: 0.1 for 0.10000000149011612.

    Example:
        >>> shortest(0.10000000149011612), shortest(0.1), shortest(1 / 3)
        (0.1, 0.1, 0.3333333333333333)
    """
    rounded = np.float32(value)
    return float(str(rounded)) if float(rounded) == value else value
