"""`TraceAlignment`: where two recorded trainings part."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dnnbridge.base.messages import columns
from dnnbridge.drawing import notebook
from dnnbridge.formats.traces.places import SENTENCES, TraceStage

HEADS = ("step", "stage", "where", "error", "allowed", "")


@dataclass(frozen=True)
class TraceDifference:
    """A difference between two traces that rounding does not explain.

    Attributes:
        step: the recorded step, counted from 1.
        stage: what differs: "state", "input", "layer", and so on.
        where: path of the layer, or name of the array or metric; "batch" for the examples.
        error: the relative difference, |b - a| / |a|, of Euclidean norms.
        allowed: what rounding explains.
        explanation: what it is in words, where more is known.
    """

    step: int
    stage: TraceStage
    where: str
    error: float
    allowed: float
    explanation: str = ""

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.stage == "input" and self.where == "batch":
            return "in the examples of the batch"
        return SENTENCES[self.stage].format(self.where)

    def __str__(self) -> str:
        if not math.isfinite(self.error):
            return f"step {self.step}, {self.place}"
        return (
            f"step {self.step}, {self.place}: {self.error:.1e} where rounding allows "
            f"{self.allowed:.1e}"
        )


@dataclass(frozen=True)
class Closest:
    """What came closest to what is allowed.

    Attributes:
        step: the step.
        place: where, in words.
        ratio: the error as a share of what is allowed.
    """

    step: int
    place: str
    ratio: float


@dataclass(frozen=True, eq=False, repr=False)
class TraceAlignment:
    """Where two recorded trainings part: the result of `align_traces`.

    Attributes:
        steps: the recorded steps that both files have.
        compared: how many places were compared, in all steps.
        differences: the first difference of each stage, in the order of steps and stages.
        closest: what came closest to its limit where the files agree; None if all is equal.
        notes: what was left out or matched in its order, and which arguments differ.
    """

    steps: Sequence[int]
    compared: int
    differences: Sequence[TraceDifference]
    closest: Closest | None = None
    notes: Sequence[str] = ()

    @property
    def agrees(self) -> bool:
        """Whether rounding explains all differences."""
        return not self.differences

    @property
    def first(self) -> TraceDifference | None:
        """The first difference; None if they agree."""
        return self.differences[0] if self.differences else None

    @property
    def verdict(self) -> str:
        """The answer in one or two sentences."""
        if self.first is not None:
            said = f"They part at {self.first}."
            return f"{said} {self.first.explanation}".rstrip()
        count, last = len(self.steps), max(self.steps, default=0)
        said = f"They agree: {count} recorded step{'s' * (count != 1)} up to step {last}"
        if self.closest is None or not self.closest.ratio:
            return f"{said}, all numbers equal."
        ratio = self.closest.ratio
        times = f"{1 / ratio:.2g} times less than" if ratio < 1 else "as large as"
        return f"{said}, largest error {times} rounding allows, {self.closest.place}."

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON types; a number that is not finite is a text."""
        return {
            "agrees": self.agrees,
            "verdict": self.verdict,
            "steps": list(self.steps),
            "compared": self.compared,
            "differences": [
                {
                    "step": each.step,
                    "stage": each.stage,
                    "where": each.where,
                    "error": _number(each.error),
                    "allowed": _number(each.allowed),
                    "explanation": each.explanation,
                }
                for each in self.differences
            ],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)

    def _rows(self) -> list[list[str]]:
        return [
            [str(d.step), d.stage, d.where, f"{d.error:.1e}", f"{d.allowed:.1e}", d.explanation]
            for d in self.differences
        ]

    def __str__(self) -> str:
        lines = [self.verdict]
        if self.differences:
            lines += ["", *columns([list(HEADS), *self._rows()], words=3)]
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = notebook.note(self.verdict)
        table = notebook.table(HEADS, self._rows(), words=3) if self.differences else ""
        return notebook.block("Traces", said, table, *map(notebook.note, self.notes))


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
