"""`Panel`: what a chart of curves shows, for drawings and for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """A curve of a chart.

    Attributes:
        label: what the legend calls it; empty for a curve without a name.
        x: places of its points.
        y: its values; what is not finite is a gap.
        colour: number of its colour.
        dashed: whether its line is dashed.
        faint: whether it stays in the background.
        stairs: whether each value holds until the next point.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0
    dashed: bool = False
    faint: bool = False
    stairs: bool = False


@dataclass(frozen=True)
class Panel:
    """A chart of some curves.

    Attributes:
        title: above the chart.
        curves: in order of drawing.
        x_label: what the points of x are.
    """

    title: str
    curves: tuple[Curve, ...]
    x_label: str = "epoch"
