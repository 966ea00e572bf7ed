"""`ErrorTable`: how far two trainings are apart at each place in each step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.differences import Compared
from dnnbridge.doctor.sides import STAGES, Spot, Stage
from dnnbridge.drawing.heat import classes


class ErrorRow(NamedTuple):
    """The error at a place in a step.

    Attributes:
        step: the step, counted from 1.
        stage: what was compared: "layer", "gradient", "update", and so on.
        where: the path of the layer, or the name of the weight or metric.
        error: the relative difference.
        allowed: what rounding explains; infinite where rounding alone decides the number.
    """

    step: int
    stage: Stage
    where: str
    error: float
    allowed: float


@dataclass(frozen=True, eq=False)
class ErrorTable:
    """The errors of a comparison, a row per place and a column per step; NaN if not compared.

    Where a difference was found and mended, it has the largest error: that before mending.
    Iterating gives an `ErrorRow` for each number, in the order of the steps.

    Attributes:
        places: stage and name of each row, in the order of a step.
        error: relative differences, of shape (places, steps).
        allowed: what rounding explains, of the same shape.
    """

    places: tuple[Spot, ...] = ()
    error: Array = field(default_factory=lambda: np.zeros((0, 0)))
    allowed: Array = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def steps(self) -> int:
        """The number of steps."""
        return int(self.error.shape[1])

    @property
    def ratio(self) -> Array:
        """The errors as shares of what is allowed; above 1 rounding does not explain them.

        Example:
            >>> recorder = ErrorRecorder()
            >>> recorder.note(1, [Compared(Spot("layer", "hidden"), 3e-7, 6e-7)])
            >>> recorder.table().ratio
            array([[0.5]])
        """
        with np.errstate(invalid="ignore"):
            found: Array = np.where(np.isinf(self.allowed), 0.0, self.error / self.allowed)
        return found

    def __len__(self) -> int:
        return int(np.isfinite(self.allowed).sum() + np.isinf(self.allowed).sum())

    def __iter__(self) -> Iterator[ErrorRow]:
        for step in range(self.steps):
            for row, place in enumerate(self.places):
                allowed = float(self.allowed[row, step])
                if not math.isnan(allowed):
                    yield ErrorRow(step + 1, *place, float(self.error[row, step]), allowed)

    def rows_of(self, stage: Stage) -> list[int]:
        """Return the numbers of the rows of a stage."""
        return [row for row, place in enumerate(self.places) if place.stage == stage]

    def strips(self) -> dict[Stage, Array]:
        """Return the worst class of `drawing.heat` of each stage in each step."""
        found = classes(self.error, self.allowed)
        groups = ((stage, self.rows_of(stage)) for stage in STAGES)
        return {stage: found[rows].max(0) for stage, rows in groups if rows}

    def to_dict(self) -> list[dict[str, Any]]:
        """Return a record per place, with a number per step: four digits, or None, or a text."""
        return [
            {
                "stage": place.stage,
                "where": place.where,
                "error": [_short(value) for value in self.error[row].tolist()],
                "allowed": [_short(value) for value in self.allowed[row].tolist()],
            }
            for row, place in enumerate(self.places)
        ]


class ErrorRecorder:
    """Collects what is compared, the largest of each place and step."""

    def __init__(self) -> None:
        self._found: dict[Spot, dict[int, Compared]] = {}

    def note(self, step: int, results: Iterable[Compared]) -> None:
        """Note what was compared in a step, counted from 1."""
        for each in results:
            known = self._found.setdefault(each.spot, {})
            if step not in known or each.ratio > known[step].ratio:
                known[step] = each

    def table(self) -> ErrorTable:
        """Return all that was noted."""
        places = sorted(self._found, key=lambda spot: STAGES.index(spot.stage))
        steps = max((step for known in self._found.values() for step in known), default=0)
        error, allowed = np.full((2, len(places), steps), np.nan)
        for row, place in enumerate(places):
            for step, each in self._found[place].items():
                error[row, step - 1], allowed[row, step - 1] = each.error, each.allowed
        return ErrorTable(tuple(places), error, allowed)


def _short(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(f"{value:.4g}") if math.isfinite(value) else str(value)
