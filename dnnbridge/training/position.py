"""How far a run has been trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dnnbridge.moment import Moment, Past


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
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    examples: int = 0
    batch_size: int = 0
    past: Past = ()

    def __post_init__(self) -> None:
        past = tuple((steps, epochs) for steps, epochs in self.past)
        if not past and self.epoch:  # of a file that does not say: epochs of one length
            past = _alike(self.step - self.batch, self.epoch)
        object.__setattr__(self, "past", past)

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
