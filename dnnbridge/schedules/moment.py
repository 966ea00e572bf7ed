"""`Moment`: the number of a step, which knows its place in its epoch."""

from __future__ import annotations

from typing import Self

Past = tuple[tuple[int, int], ...]
"""(steps, epochs) for each run of epochs of one length, in order; 0 epochs where one was left."""


class Moment(int):
    """The number of a step, counted from 0 over all epochs

    Any function of the step takes it as a number.

    Attributes:
        past: the epochs before.
        batch: steps of its own epoch before it.
        last: whether that epoch ends with it.

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
        """Return the step as it is; a plain number is one of an epoch without end."""
        return step if isinstance(step, Moment) else cls.at(step, (), step)

    def windows(self, steps: int) -> int:
        """Return how many windows of so many steps have ended before, where an epoch ends one."""
        ended = sum(
            epochs * -(-length // steps) if epochs else length // steps
            for length, epochs in self.past
        )
        return ended + self.batch // steps
