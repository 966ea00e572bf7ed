"""`Moment`: the number of a step, with its position in the epoch."""

from __future__ import annotations

from typing import Self

Past = tuple[tuple[int, int], ...]
"""(steps, epochs) for each run of epochs of equal length, in order; an unfinished epoch has 0."""


class Moment(int):
    """The number of a step, counted from 0 over all epochs

    It is an int, so any function of the step accepts it.

    Attributes:
        past: the earlier epochs.
        batch: number of earlier steps in the same epoch.
        last: whether this is the last step of the epoch.

    Example:
        >>> moment = Moment.at(7, ((5, 1),), batch=2)
        >>> moment, moment.windows(2)
        (7, 4)
    """

    past: Past
    batch: int
    last: bool

    @classmethod
    def at(cls, step: int, past: Past, batch: int, last: bool = False) -> Self:
        made = cls(step)
        made.past, made.batch, made.last = past, batch, last
        return made

    @classmethod
    def of(cls, step: int) -> Moment:
        """Return the step unchanged; a plain number counts as a step of one endless epoch."""
        return step if isinstance(step, Moment) else cls.at(step, (), step)

    def windows(self, steps: int) -> int:
        """Return how many windows of `steps` steps have ended; an epoch's end also ends one."""
        ended = sum(
            epochs * -(-length // steps) if epochs else length // steps
            for length, epochs in self.past
        )
        return ended + self.batch // steps
