"""Charts of a page that show the values under the pointer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from dnnbridge.drawing.charts import COLOURS, style, svg
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.panels import drawable, figure_of


@dataclass(frozen=True)
class Chart:
    """A chart of a page.

    Attributes:
        title: what it shows.
        svg: the picture.
        points: JSON for the script of the page: the places of the points, as shares of the width
            and height from the upper left corner, and their values as text.
    """

    title: str
    svg: str
    points: str


def chart_of(panel: Panel, prefix: str) -> Chart:
    """Return a chart; `prefix` goes before the ids of its elements."""
    with style():
        figure = figure_of([panel], columns=1)
        text = svg(figure, prefix)  # it also lays the figure out
        (axes,) = figure.axes
        width, height = figure.bbox.width, figure.bbox.height
        places = sorted({float(x) for curve in panel.curves for x in curve.x})
        across = [axes.transData.transform((x, 1.0))[0] / width for x in places]
        series = [_series(axes, curve, places, height) for curve in panel.curves]
    box = axes.bbox
    content = {
        "x": [round(x, 4) for x in across],
        "names": [f"{panel.x_label} {x:g}" for x in places],
        "top": round(1 - box.y1 / height, 4),
        "bottom": round(1 - box.y0 / height, 4),
        "series": [each for each in series if each["values"]],
    }
    return Chart(panel.title, text, json.dumps(content, allow_nan=False))


def _series(axes: Axes, curve: Curve, places: list[float], height: float) -> dict[str, object]:
    """Return the places and the values of a curve at all places; None where it has no point."""
    values = dict(zip(map(float, curve.x), curve.y, strict=True))
    shown = dict(zip(values, drawable(list(values.values())), strict=True))
    ys = [_place(axes, shown[x], height) if x in shown else None for x in places]
    texts = [f"{values[x]:.5g}" if x in values else None for x in places]
    number = curve.colour % len(COLOURS)
    name = curve.label or "value"
    colour = f"var(--series-{number}, {COLOURS[number]})"
    return {"name": name, "colour": colour, "y": ys, "values": [] if curve.faint else texts}


def _place(axes: Axes, value: float, height: float) -> float | None:
    if not math.isfinite(value):
        return None
    return round(1 - float(axes.transData.transform((1.0, value))[1]) / height, 4)
