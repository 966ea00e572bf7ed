"""How far a run has been trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from dnnbridge.errors import DataError
from dnnbridge.schedules.moment import Moment, Past

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
        past: the epochs before, as `Moment` has them.

    Raises:
        DataError: one is no whole number of 0 or more, or they do not fit each other.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    examples: int = 0
    batch_size: int = 0
    past: Past = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "past":
                continue
            value = getattr(self, field.name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not whole or not 0 <= value <= MOST:
                raise DataError(
                    "must be a whole number of 0 or more",
                    where=f"position.{field.name}",
                    got=repr(value),
                )
            object.__setattr__(self, field.name, int(value))
        if self.batch > (math.ceil(self.examples / self.batch_size) if self.batch_size else 0):
            raise DataError(
                "an epoch has no more steps than batches",
                where="position.batch",
                got=f"{self.batch} of {self.examples} examples in batches of {self.batch_size}",
            )
        if self.step < self.epoch + self.batch:
            raise DataError(
                "every epoch has a step at least, and those of the begun one are counted",
                where="position.step",
                got=f"step {self.step} in epoch {self.epoch}, after {self.batch} steps of it",
            )
        object.__setattr__(self, "past", self._checked_past())

    def _checked_past(self) -> Past:
        """Return the epochs before; where a file does not say, they are taken for equally long."""
        before = self.step - self.batch
        if not self.past:
            return _alike(before, self.epoch) if self.epoch else ()
        try:
            past = tuple((int(steps), int(epochs)) for steps, epochs in self.past)
        except (TypeError, ValueError, OverflowError):
            past = ((-1, -1),)
        counts = sum(steps * max(epochs, 1) for steps, epochs in past)
        known = min(min(pair) for pair in past) >= 0 and counts == before
        if not known or sum(epochs for _, epochs in past) != self.epoch:
            raise DataError(
                "the epochs before do not add up to the step and the epoch",
                where="position.past",
                got=f"{self.past!r} for {before} steps in {self.epoch} epochs",
            )
        return past

    def after(self, steps: int, examples: int, batch_size: int) -> Position:
        """Return the position after some more steps of an epoch."""
        step, batch = self.step + steps, self.batch + steps
        return replace(self, step=step, batch=batch, examples=examples, batch_size=batch_size)

    def next_epoch(self) -> Position:
        """Return the position at the end of the epoch."""
        return replace(self, epoch=self.epoch + 1, batch=0, past=self._with(self.batch, 1))

    def left(self) -> Position:
        """Return the position at which a begun epoch is left, and another begins."""
        return replace(self, batch=0, past=self._with(self.batch, 0))

    def fits(self, examples: int, batch_size: int) -> bool:
        """Return whether a begun epoch can go on with data of this size."""
        return not self.batch or (self.examples, self.batch_size) == (examples, batch_size)

    def moments(self, steps: int, last: bool) -> list[Moment]:
        """Return the next steps, the last of which may end the epoch."""
        return [
            Moment.at(self.step + k, self.past, self.batch + k, last and k == steps - 1)
            for k in range(steps)
        ]

    def _with(self, steps: int, epochs: int) -> Past:
        """Return the past with one epoch more; those of one length stand together."""
        *before, (length, count) = self.past or ((steps, 0),)
        if length == steps and epochs and (count or not self.past):
            return (*before, (steps, count + epochs))
        return (*self.past, (steps, epochs))


def _alike(steps: int, epochs: int) -> Past:
    return ((steps // epochs, epochs),) if steps % epochs == 0 else ((steps, epochs),)
