"""Heat maps of a page: the error of each place in each step, a map for each stage."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.error_table import ErrorTable
from dnnbridge.drawing.heat import DIFFERS, classes, picture

TITLES = {
    "input": "Inputs",
    "layer": "Outputs of layers",
    "loss": "Loss of the batch",
    "gradient": "Gradients",
    "update": "Updates of weights",
    "weights": "Weights",
    "statistics": "Running statistics",
    "slots": "Arrays of the optimizer",
    "rate": "Learning rate",
    "metrics": "Metrics of all examples",
    "validation": "Validation",
}
"""The heading of each stage."""

LONGEST = 26
"""Characters of a name beside a map; the whole one is shown with the values."""

TICKS = 10
"""Largest number of steps that are named below a map."""

SCALE = 1000
"""Values of a page are 1000 times their decimal logarithms, as whole numbers of 16 bits."""

ZERO, MISSING, INFINITE = -32768, 32766, 32767
"""Numbers that stand for 0, for what was not compared, and for infinity."""


class Mark(NamedTuple):
    """Where a difference was found: stage, name, step, and the number of its card."""

    stage: str
    where: str
    step: int
    card: int


class Row(NamedTuple):
    """A row of a map.

    Attributes:
        name: the whole name.
        short: what is shown beside the map.
        worst: the largest share of what is allowed, as text.
        differs: whether rounding does not explain it.
        link: the id of what it leads to, or "".
    """

    name: str
    short: str
    worst: str
    differs: bool
    link: str = ""


class Map(NamedTuple):
    """A heat map: a row per place, a column per step.

    Attributes:
        key: the stage.
        title: its heading.
        rows: the places.
        steps: the number of columns.
        light: the picture for a light page, as an address.
        dark: that for a dark one.
        values: errors, then what is allowed, as base64 of 16-bit numbers; "" for a summary.
        marks: row, step and card of each difference that was found.
        remark: how many places differ, in words.
    """

    key: str
    title: str
    rows: Sequence[Row]
    steps: int
    light: str
    dark: str
    values: str
    marks: Sequence[tuple[int, int, int]]
    remark: str

    @property
    def differs(self) -> bool:
        """Whether a place differs by more than rounding."""
        return any(row.differs for row in self.rows)


def maps_of(table: ErrorTable, marks: Sequence[Mark]) -> list[Map]:
    """Return a summary with a row per stage, then a map for each stage; none without errors."""
    strips = table.strips()
    if not strips:
        return []
    found, ratio = classes(table.error, table.allowed), table.ratio
    made = []
    for stage in strips:
        rows = table.rows_of(stage)
        names = [table.places[row].where for row in rows]
        values = _packed(table.error[rows]) + _packed(table.allowed[rows])
        at = [(names.index(m.where), m.step, m.card) for m in marks if _is_on(m, stage, names)]
        made.append(_map(stage, TITLES[stage], names, found[rows], ratio[rows], values, at))
    groups = [np.nan_to_num(ratio[table.rows_of(stage)], nan=-1.0) for stage in strips]
    worst = np.stack([group.max(0) for group in groups])
    names = [TITLES[stage] for stage in strips]
    whole = _map("all", "All stages", names, np.stack(list(strips.values())), worst, b"", [])
    links = [row._replace(link=f"stage-{s}") for s, row in zip(strips, whole.rows, strict=True)]
    return [whole._replace(rows=links), *made]


def _is_on(mark: Mark, stage: str, names: Sequence[str]) -> bool:
    return mark.stage == stage and mark.where in names


def _map(
    key: str,
    title: str,
    names: Sequence[str],
    found: Array,
    ratio: Array,
    values: bytes,
    marks: Sequence[tuple[int, int, int]],
) -> Map:
    worst = np.nan_to_num(ratio, nan=-1.0).max(1)
    differs = (found >= DIFFERS).any(1)
    rows = [
        Row(name, _short(name), share(float(value)), bool(differing))
        for name, value, differing in zip(names, worst, differs, strict=True)
    ]
    count = int(differs.sum())
    remark = f"{count or 'none'} of {len(rows)} {'differ' if count > 1 else 'differs'}"
    pictures = picture(found), picture(found, dark=True)
    text = base64.b64encode(values).decode()
    return Map(key, title, rows, found.shape[1], *pictures, text, marks, remark)


def share(ratio: float) -> str:
    """Return a multiple of what is allowed; "" for a negative one.

    Example:
        >>> [share(value) for value in (0.0, 0.3123, 45.2, 81234.0, 8.1e7, math.inf)]
        ['0', '0.31', '45', '81,000', '8.1e+07', '∞']
    """
    if 10 <= ratio < 1e6:
        return f"{float(f'{ratio:.2g}'):,.0f}"
    return "∞" if math.isinf(ratio) else "" if ratio < 0 else f"{ratio:.2g}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def _packed(values: Array) -> bytes:
    """Return numbers as whole numbers of 16 bits, row by row.

    Example:
        >>> np.frombuffer(_packed(np.array([0.0, 1e-6, np.nan, np.inf])), "<i2").tolist()
        [-32768, -6000, 32766, 32767]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.clip(np.rint(SCALE * np.log10(values)), ZERO + 1, MISSING - 1)
    scaled = np.where(values == 0, ZERO, np.where(np.isposinf(values), INFINITE, scaled))
    return np.where(np.isnan(values), MISSING, scaled).astype("<i2").tobytes()


def ticks_of(steps: int) -> list[tuple[int, float]]:
    """Return the steps that are named below a map, and where each is, in per cent of the width.

    Example:
        >>> [step for step, _ in ticks_of(20)], [step for step, _ in ticks_of(200)][:3]
        ([1, 3, 5, 7, 9, 11, 13, 15, 17, 19], [1, 21, 41])
    """
    nice = [digit * 10**power for power in range(9) for digit in (1, 2, 5)]
    every = next(gap for gap in nice if gap * TICKS >= steps)
    return [(step, 100 * (step - 0.5) / steps) for step in range(1, steps + 1, every)]
