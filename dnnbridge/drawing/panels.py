"""Small charts of curves, one or several in a figure; needs matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.charts import colour, drawing, style
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.drawing import Drawing

SIZE = (4.6, 2.7)
"""Width and height of a panel in inches."""

LARGEST = 1e100
"""Numbers from here on are not drawn, as the margin of the axis would overflow."""

DECADES = 100.0
"""Positive values whose largest is more than this multiple of the least have a log scale."""

ROOM = 32
"""Characters of a legend above the axes, beside the title."""

WIDTH, MARK = 64, 6
"""Characters of a legend below the axes, and those that the mark of a name takes."""

BELOW = 0.22
"""Inches for the numbers of the x axis, and for its label."""

MARKED = 30
"""Curves of fewer points than this have a mark at each."""


def drawing_of(panels: Sequence[Panel], columns: int = 2) -> Drawing:
    """Return a drawing of some panels, row by row."""
    with style():
        return drawing(figure_of(panels, columns))


def figure_of(panels: Sequence[Panel], columns: int = 2) -> Figure:
    """Return a figure of some panels, row by row; call it inside `style`."""
    across = max(1, min(columns, len(panels)))
    down = max(1, math.ceil(len(panels) / across))
    size = (SIZE[0] * across, SIZE[1] * down)
    figure = Figure(figsize=size, dpi=72, layout="constrained")
    for number, panel in enumerate(panels, 1):
        draw(figure.add_subplot(down, across, number), panel)
    return figure


def draw(axes: Axes, panel: Panel) -> None:
    """Draw the curves of a panel, with its title and a legend above them."""
    axes.set_title(panel.title, loc="left")
    axes.set_xlabel(panel.x_label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    if spans_decades(panel):
        axes.set_yscale("log")
    for curve in panel.curves:
        _line(axes, curve)
    places = {float(x) for curve in panel.curves for x in curve.x}
    if len(places) == 1:
        axes.set_xlim(min(places) - 0.5, min(places) + 0.5)
    _legend(axes, panel)


def _legend(axes: Axes, panel: Panel) -> None:
    """Name the curves above the axes, or below them if the names are long."""
    pairs = zip(axes.get_lines(), (curve.label for curve in panel.curves), strict=True)
    named = [(line, label) for line, label in pairs if label]
    if len(named) < 2:
        return
    lines, labels = zip(*named, strict=True)
    looks: Any = {"fontsize": 8.5, "handlelength": 1.4, "borderpad": 0.2, "columnspacing": 1.0}
    names = [_short(label) for label in labels]
    if sum(map(len, labels)) <= ROOM:
        place: Any = {"loc": "lower right", "bbox_to_anchor": (1.01, 0.98)}
        axes.legend(lines, names, ncols=len(labels), **place, **looks)
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    down = ScaledTranslation(0, -BELOW * (2 if panel.x_label else 1), figure.dpi_scale_trans)
    columns = max(1, min(len(names), WIDTH // (max(map(len, names)) + MARK)))
    place = {"loc": "upper left", "bbox_to_anchor": (-0.02, 0), "ncols": columns}
    axes.legend(lines, names, bbox_transform=axes.transAxes + down, **place, **looks)


def _short(label: str) -> str:
    return label if len(label) <= ROOM else label[: ROOM - 1] + "…"


def _line(axes: Axes, curve: Curve) -> None:
    values = drawable(curve.y)
    few = 0 < np.isfinite(values).sum() < MARKED and not curve.faint
    axes.plot(
        np.asarray(curve.x, np.float64),
        values,
        color=colour(curve.colour),
        linestyle="--" if curve.dashed else "-",
        linewidth=0.8 if curve.faint else 1.7,
        alpha=0.3 if curve.faint else 1.0,
        marker="o" if few else None,
        markersize=3.2,
        drawstyle="steps-post" if curve.stairs else "default",
    )


def drawable(values: Sequence[float]) -> Array:
    """Return the values, with NaN for those that a chart cannot show.

    Example:
        >>> drawable([1.0, float("inf")]).tolist()
        [1.0, nan]
    """
    array = np.asarray(values, np.float64)
    return np.where(np.abs(array) < LARGEST, array, np.nan)


def spans_decades(panel: Panel) -> bool:
    """Return whether the values are positive and so different that a log scale is needed.

    Example:
        >>> panel = Panel("loss", (Curve("training", (1, 2, 3), (900.0, 5.0, 1.0)),))
        >>> spans_decades(panel)
        True
    """
    found = np.concatenate([drawable(curve.y) for curve in panel.curves] or [np.zeros(0)])
    found = found[np.isfinite(found)]
    return bool(found.size and found.min() > 0 and found.max() > DECADES * found.min())
