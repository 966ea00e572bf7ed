"""How far a run has been trained."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Position:
    """How far a run has been trained, and in which epoch it stopped.

    Attributes:
        step: updates made.
        epoch: epochs finished.
        batch: updates made in the epoch that has begun.
        examples: examples of that epoch.
        batch_size: examples per step of that epoch.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    examples: int = 0
    batch_size: int = 0

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
