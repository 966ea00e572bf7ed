"""How far a run has been trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from dnnbridge.errors import DataError

MOST = 2**53
"""More than can be trained; up to here a float64 holds every whole number."""


@dataclass(frozen=True)
class Position:
    """How far a run has been trained, and in which epoch it stopped.

    Attributes:
        step: updates made.
        epoch: epochs finished.
        batch: updates made in the epoch that has begun.
        examples: examples of that epoch.
        batch_size: examples per step of that epoch.

    Raises:
        DataError: one is no whole number of 0 or more, or they do not fit each other.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    examples: int = 0
    batch_size: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not whole or not 0 <= value <= MOST:
                raise DataError(
                    "must be a whole number of 0 or more",
                    where=f"progress.{field.name}",
                    got=repr(value),
                )
            object.__setattr__(self, field.name, int(value))
        if self.batch > (math.ceil(self.examples / self.batch_size) if self.batch_size else 0):
            raise DataError(
                "an epoch has no more steps than batches",
                where="progress.batch",
                got=f"{self.batch} of {self.examples} examples in batches of {self.batch_size}",
            )
        if self.step < self.epoch + self.batch:
            raise DataError(
                "every epoch has a step at least, and those of the begun one are counted",
                where="progress.step",
                got=f"step {self.step} in epoch {self.epoch}, after {self.batch} steps of it",
            )

    def after(self, steps: int, examples: int, batch_size: int) -> Position:
        """Return the position after some more steps of an epoch."""
        done = self.batch + steps
        return Position(self.step + steps, self.epoch, done, examples, batch_size)

    def next_epoch(self) -> Position:
        """Return the position at the end of the epoch."""
        return replace(self, epoch=self.epoch + 1, batch=0)

    def fits(self, examples: int, batch_size: int) -> bool:
        """Return whether a begun epoch can go on with data of this size."""
        return not self.batch or (self.examples, self.batch_size) == (examples, batch_size)
