"""`Alignment`: where two trainings part, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnnbridge.base.messages import columns
from dnnbridge.doctor.causes import Cause
from dnnbridge.doctor.differences import PLACES, Compared, Difference
from dnnbridge.doctor.error_table import ErrorTable
from dnnbridge.drawing import notebook
from dnnbridge.drawing.heat import picture

Write = Callable[[Path], list[Path]]
"""Writes a reproduction into a folder, and returns the files."""

LEGEND = "A column for each step: blue where rounding explains the error, warm where it does not."

HEADS = ("step", "stage", "where", "error", "allowed", "effect")


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """Where two trainings part, and why: the result of `align`.

    Attributes:
        steps: how many steps were compared.
        compared: how many places were compared, in all steps.
        found: all differences with their causes, in the order of finding.
        closest: what came closest to its limit where the trainings agree.
        notes: what was changed or left out for the comparison, a sentence each.
        errors: the error of each place in each step, and what was allowed; a row for each. Where a
            difference was found and mended, the error before mending.
        unjudged: steps of which a part was not judged, as a number lies within rounding of a kink.
        setting: what was compared, in words.
        environment: versions, and the processor.
    """

    steps: int
    compared: int
    found: Sequence[tuple[Difference, Cause]]
    closest: Compared | None = None
    notes: Sequence[str] = ()
    writers: Sequence[Write] = field(default=())
    errors: ErrorTable = field(default_factory=ErrorTable)
    unjudged: Sequence[int] = ()
    setting: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether rounding explains all differences."""
        return not self.found

    @property
    def first(self) -> Difference | None:
        """The first difference; None if they agree."""
        return self.found[0][0] if self.found else None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The independent differences, the one with the largest effect on the loss first."""
        return tuple(difference for difference, _ in self._by_effect())

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The cause of each of `differences`."""
        return tuple(cause for _, cause in self._by_effect())

    def _by_effect(self) -> list[tuple[Difference, Cause]]:
        def effect(pair: tuple[Difference, Cause]) -> float:
            return math.inf if math.isnan(pair[1].effect) else pair[1].effect

        return sorted(self.found, key=effect, reverse=True)

    @property
    def verdict(self) -> str:
        """The answer in one or two sentences."""
        if self.first is not None:
            first, cause = self.found[0]
            more = len(self.found) - 1
            others = f" {more} more found." if more else ""
            return (
                f"They part at step {first.step}, {first.place}: {first.error:.1e} where rounding "
                f"allows {first.allowed:.1e}. {cause.explanation}{others}"
            )
        if self.closest is None or not self.closest.error:
            return f"They agree: {self.steps} steps, all numbers equal."
        spot, ratio = self.closest.spot, self.closest.ratio
        times = f"{1 / ratio:.2g} times less than" if ratio < 1 else "as large as"
        place = PLACES[spot.stage].format(spot.where)
        return f"They agree: {self.steps} steps, largest error {times} rounding allows, {place}."

    def reproduce(self, folder: str | Path) -> list[Path]:
        """Write the smallest reproduction of each difference that no argument explains.

        Each is an `.npz` file with the inputs and both results, and a script that computes them
        again.

        Args:
            folder: where to; it is made if need be.

        Returns:
            The files; none if each difference has an argument as its cause.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        return [path for write in self.writers for path in write(target)]

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON types; a number that is not finite is a text."""
        return {
            "agrees": self.agrees,
            "verdict": self.verdict,
            "steps": self.steps,
            "compared": self.compared,
            "differences": [
                {
                    "step": difference.step,
                    "stage": difference.stage,
                    "where": difference.where,
                    "error": _number(difference.error),
                    "allowed": _number(difference.allowed),
                    "rule": cause.rule,
                    "explanation": cause.explanation,
                    "remedy": cause.remedy,
                    "effect": _number(cause.effect),
                }
                for difference, cause in self._by_effect()
            ],
            "notes": list(self.notes),
            "unjudged": list(self.unjudged),
            "setting": dict(self.setting),
            "environment": dict(self.environment),
            "errors": self.errors.to_dict(),
        }

    def to_json(self) -> str:
        """Return `to_dict` as text, with a line for each place of `errors`."""
        made = self.to_dict()
        lines = [json.dumps(each) for each in made.pop("errors")]
        before = json.dumps(made, indent=2).removesuffix("\n}")
        rows = ",".join(f"\n    {line}" for line in lines)
        return f'{before},\n  "errors": [{rows}\n  ]\n}}'

    def _rows(self) -> list[list[str]]:
        return [
            [str(d.step), d.stage, d.where, f"{d.error:.1e}", f"{d.allowed:.1e}", f"{c.effect:.2e}"]
            for d, c in self._by_effect()
        ]

    def __str__(self) -> str:
        lines = [self.verdict]
        if self.found:
            lines += ["", *columns([list(HEADS), *self._rows()], words=3)]
        for _, cause in self._by_effect():
            rule = f" [{cause.rule}]" if cause.rule else ""
            lines += ["", f"{cause.explanation}{rule}"]
            lines += [f"    {line}" for line in cause.remedy.splitlines()]
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = notebook.note(self.verdict)
        table = notebook.table(HEADS, self._rows(), words=3) if self.found else ""
        causes = notebook.facts({c.explanation: c.remedy for c in self.causes})
        rows = self.errors.strips().items()
        heat = notebook.strips({s: picture(row[None]) for s, row in rows}, self.errors.steps)
        legend = notebook.note(LEGEND) if heat else ""
        notes = map(notebook.note, self.notes)
        return notebook.block("Alignment", said, table, causes, heat, legend, *notes)


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
