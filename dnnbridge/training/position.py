"""`Position`: how far a run has been trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from dnnbridge.errors import DataError
from dnnbridge.schedules.moment import Moment, Past

MOST = 2**53
"""Largest number of steps; float64 holds every whole number up to it."""


@dataclass(frozen=True)
class Position:
    """How far a run has been trained, and in which epoch it stopped.

    Attributes:
        step: finished updates.
        epoch: finished epochs.
        batch: finished updates of the current epoch.
        examples: examples of the current epoch; 0 if its batches come from a source.
        batch_size: examples per step of the current epoch, with those that fill up a batch.
        past: the earlier epochs, as in `Moment`.

    Raises:
        DataError: a value is not a whole number of 0 or more, or the values do not fit each other.
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
        if self.batch > self._most():
            raise DataError(
                "an epoch cannot have more steps than batches",
                where="position.batch",
                got=f"{self.batch} of {self.examples} examples in batches of {self.batch_size}",
            )
        if self.step < self.epoch + self.batch:
            raise DataError(
                "must be at least the number of epochs plus the steps of the current epoch",
                where="position.step",
                got=f"step {self.step} in epoch {self.epoch}, after {self.batch} steps of it",
            )
        object.__setattr__(self, "past", self._checked_past())

    def _most(self) -> int:
        """The steps that the current epoch can have."""
        if not self.examples:
            return MOST if self.batch_size else 0
        return math.ceil(self.examples / self.batch_size) if self.batch_size else 0

    def _checked_past(self) -> Past:
        """Return the earlier epochs; if a file lacks them, assume equal lengths."""
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
                "the earlier epochs do not add up to position.step and position.epoch",
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
        """Return the position after abandoning the current epoch."""
        return replace(self, batch=0, past=self._with(self.batch, 0))

    def fits(self, examples: int, batch_size: int) -> bool:
        """Return whether the current epoch can continue with data of this size."""
        if not self.batch or not (examples or self.examples):
            return True
        return (self.examples, self.batch_size) == (examples, batch_size)

    def moments(self, steps: int, last: bool) -> list[Moment]:
        """Return the moments of the next steps; `last`: the final step ends the epoch."""
        return [
            Moment.at(self.step + k, self.past, self.batch + k, last and k == steps - 1)
            for k in range(steps)
        ]

    def _with(self, steps: int, epochs: int) -> Past:
        """Return the past with one more epoch; epochs of equal length share an entry."""
        *before, (length, count) = self.past or ((steps, 0),)
        if length == steps and epochs and (count or not self.past):
            return (*before, (steps, count + epochs))
        return (*self.past, (steps, epochs))


def _alike(steps: int, epochs: int) -> Past:
    return ((steps // epochs, epochs),) if steps % epochs == 0 else ((steps, epochs),)
