"""Find out whether a sabotage changes anything: a right executable runs the same calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sabotage.executables import Wrapped


@dataclass
class Effect:
    """The observed effect of a sabotage.

    Attributes:
        seen: whether it has changed anything: an experiment, a table, a bit of a result.
    """

    seen: bool = False

    def compare(self, made, expected) -> None:
        """Compare arrays by name, bit for bit; a NaN is equal to a NaN."""
        self.seen |= made.keys() != expected.keys() or any(
            not np.array_equal(np.asarray(array), expected[name], np.asarray(array).dtype != bool)
            for name, array in made.items()
        )


class Twin(Wrapped):
    """Runs the wrong executable inside, and compares its results with those of a right one."""

    def __init__(self, inner, program, right, effect: Effect) -> None:
        super().__init__(inner, program)
        self.right, self.effect = right, effect
        self.kept: dict = {}

    @property
    def compilations(self) -> int:
        self.effect.seen |= self.inner.compilations != self.right.compilations
        return self.inner.compilations

    def run(self, function, feeds, steps):
        if self.effect.seen:
            return self.inner.run(function, feeds, steps)
        expected = self.right.run(function, feeds, steps)
        before = {name: array.copy() for name, array in self.kept.items()}
        made = self.inner.run(function, feeds, steps)
        self.effect.compare(self.kept, before)
        self.effect.compare(made, expected)
        self.effect.compare(self.inner.read(), self.right.read())
        return made

    def read(self):
        made = self.inner.read()
        if not self.effect.seen:
            self.effect.compare(made, self.right.read())
            self.kept = made
        return made

    def write(self, values):
        self.inner.write(values)
        if not self.effect.seen:
            self.right.write(values)
