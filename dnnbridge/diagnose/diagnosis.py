"""`AbstractDiagnosis`: what a diagnosis found: numbers, a verdict, a table and a picture."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import columns
from dnnbridge.base.packages import require_report
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.drawing.notebook import block, chart, note, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = float | str | bool | None
"""An entry of a table."""

Row = dict[str, Cell]
"""A row of a table, by column."""


@dataclass(frozen=True, eq=False, repr=False)
class AbstractDiagnosis(ABC):
    """Base of results. A subclass holds the numbers and says what they mean."""

    title: ClassVar[str]

    @property
    @abstractmethod
    def verdict(self) -> str:
        """One or two sentences: what was found, with figures, and what to try."""

    @property
    @abstractmethod
    def ok(self) -> bool | None:
        """Whether all is well; None where the numbers do not tell."""

    @abstractmethod
    def table(self) -> list[Row]:
        """Return the numbers as rows."""

    @abstractmethod
    def _figure(self) -> Figure:
        """Draw the numbers, in the style of all charts."""

    def plot(self, path: str | Path | None = None) -> Drawing:
        """Return a picture of the numbers, which a notebook shows.

        Args:
            path: an SVG file to write as well.

        Raises:
            PackageNotInstalledError: matplotlib is missing; the message has the pip command.
        """
        require_report("A picture of a diagnosis")
        from dnnbridge.drawing.charts import drawing, style

        with style():
            made = drawing(self._figure())
        if path is not None:
            made.save(path)
        return made

    def __str__(self) -> str:
        return "\n".join([f"{self.title}: {self.verdict}", *text_table(self.table())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = note(self.verdict)
        return block(self.title, said, chart(self.plot), html_table(self.table()))


def number(value: float) -> str:
    """Return a number for a sentence.

    Example:
        >>> number(0.12345), number(1e-9), number(2.0), number(float("nan"))
        ('0.123', '1e-09', '2', 'nan')
    """
    return f"{value:.3g}"


def share(value: float) -> str:
    """Return a share as a percentage.

    Example:
        >>> share(0.5), share(0.001), share(0.0), share(0.999)
        ('50%', '<1%', '0%', '>99%')
    """
    if 0.0 < value < 0.01:
        return "<1%"
    return ">99%" if 0.99 < value < 1.0 else f"{value:.0%}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return names for a sentence; of many only the first.

    Example:
        >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
        ('a', 'a and b', 'a, b, c and 2 more')
    """
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def ratio_of(part: float, whole: float) -> float:
    """Return part / whole; NaN for 0 / 0, and infinity for anything else over 0."""
    if whole == 0.0:
        return math.nan if part == 0.0 else math.inf
    return part / whole


def norm_of(arrays: Sequence[Array]) -> float:
    """Return the norm of all numbers of some arrays together, in float64."""
    return math.sqrt(sum(float((array.astype(np.float64) ** 2).sum()) for array in arrays))


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.4g}"


def _cells(rows: Sequence[Mapping[str, Cell]]) -> list[list[str]]:
    """Return the heads of a table, and its rows as texts."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    return [heads, *([_cell(row.get(name)) for name in heads] for row in rows)]


def text_table(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Return the lines of a table.

    Example:
        >>> text_table([{"layer": "dense", "mean": 0.5}, {"layer": "out", "mean": None}])
        ['layer  mean', 'dense   0.5', 'out']
    """
    return columns(_cells(rows), words=1) if rows else []


def html_table(rows: Sequence[Mapping[str, Cell]]) -> str:
    """Return a table for a notebook, with every text escaped.

    Example:
        >>> "<b>" in html_table([{"<b>": "a&b"}])
        False
    """
    if not rows:
        return ""
    heads, *body = _cells(rows)
    words = [name for name in heads if isinstance(rows[0].get(name), str)]
    return table(heads, body, words=len(words))
