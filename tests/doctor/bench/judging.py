"""`judged`: what `align` finds of a pair, and whether it is what was planted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from doctor.bench.pair import Expected, Pair

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError


class Found(NamedTuple):
    """A difference that `align` has found.

    Attributes:
        stage: as `align` calls it; "start" or "refused" for what it says in other ways.
        where: the layer, weight or metric.
        rule: the rule that is the cause, if it is one.
        says: the explanation.
    """

    stage: str
    where: str
    rule: str | None
    says: str

    def __str__(self) -> str:
        return f"{self.stage} {self.where}: {self.rule or self.says.partition('. ')[0]}"

    def at(self, expected: Expected) -> bool:
        """Whether it is at the place of an expected difference."""
        if self.stage in ("refused", "note"):
            stages = {"refused": "refused", "note": "start"}
            return stages[self.stage] == expected.stage and expected.where in self.says
        return (self.stage, self.where) == expected[:2]

    def explains(self, expected: Expected) -> bool:
        """Whether its cause is the expected one."""
        rule = expected.rule is None or expected.rule == self.rule
        return rule and (expected.says or "").lower() in self.says.lower()


@dataclass(frozen=True)
class Judgement:
    """What `align` found of a pair.

    Attributes:
        pair: what was compared.
        layers: layers of the Keras model.
        found: the differences, in the order of finding.
        notes: what was noted besides.
        seconds: how long it took.
    """

    pair: Pair
    layers: int
    found: tuple[Found, ...]
    notes: tuple[Found, ...] = field(default=())
    seconds: float = 0.0

    def place_of(self, expected: Expected) -> Found | None:
        """Return what was found at the place of an expected difference, the right cause first."""
        placed = [each for each in (*self.found, *self.notes) if each.at(expected)]
        placed.sort(key=lambda each: not each.explains(expected))
        return placed[0] if placed else None

    def cause_of(self, expected: Expected) -> Found | None:
        """Return what names the cause of an expected difference, at its place or elsewhere."""
        named = [each for each in (*self.found, *self.notes) if each.explains(expected)]
        named.sort(key=lambda each: not each.at(expected))
        return named[0] if named else None

    @property
    def missed(self) -> tuple[Expected, ...]:
        """What was planted, and not found at its place with its cause."""
        return tuple(
            each
            for each in self.pair.expected
            if not ((found := self.place_of(each)) and found.explains(each))
        )

    @property
    def false(self) -> tuple[Found, ...]:
        """What was found and not planted."""
        return tuple(
            each
            for each in self.found
            if not any(each.at(other) and each.explains(other) for other in self.pair.expected)
        )

    @property
    def right(self) -> bool:
        """Whether all that was planted was found, and nothing else."""
        return not self.missed and not self.false

    def __str__(self) -> str:
        said = [f"{self.pair.name}: {self.pair.planted}"]
        said += [f"  found {each}" for each in self.found] or ["  nothing found"]
        said += [f"  missed {each.stage} {each.where}: {each}" for each in self.missed]
        said += [f"  not planted: {each}" for each in self.false]
        return "\n".join(said)


def judged(pair: Pair) -> Judgement:
    """Make both programs, and compare them."""
    import keras
    import mindspore

    keras.utils.clear_session()  # names of layers count from the start
    keras.utils.set_random_seed(1)
    model, training = pair.keras(keras), pair.mindspore(mindspore)
    began = time.perf_counter()
    try:
        made = db.align(model, training, pair.data, pair.steps, pair.batch_size)
    except DnnbridgeError as error:
        found: Any = (Found("refused", "b", None, str(error)),)
        return Judgement(pair, len(model.layers), found, (), time.perf_counter() - began)
    found = tuple(
        Found(difference.stage, difference.where, cause.rule, cause.explanation)
        for difference, cause in made.found
    )
    notes = tuple(Found("note", "", _named(note), note) for note in made.notes)
    return Judgement(pair, len(model.layers), found, notes, time.perf_counter() - began)


def _named(note: str) -> str | None:
    """Return the rule that a note names in brackets."""
    return note.partition("[")[2].partition("]")[0] or None
