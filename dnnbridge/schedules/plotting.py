"""Drawings of schedules: the value of every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dnnbridge.base.packages import require_report
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.errors import DnnbridgeError
from dnnbridge.schedules.extent import extent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dnnbridge.schedules.base import AbstractSchedule

POINTS = 400
"""Largest number of steps at which a chart in a notebook evaluates a schedule."""


def figure_of(name: str, values: Sequence[float], quantity: str = "learning rate") -> Figure:
    """Draw the value of every step, in the colours of a file."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none", "axes.grid": True, "grid.alpha": 0.3}):
        return _figure(name, values, quantity, "C0")


def drawing_of(name: str, values: Sequence[float], quantity: str) -> Drawing:
    """Return the same drawing for notebooks and files."""
    require_report("A drawing of a schedule")
    from dnnbridge.drawing.charts import colour, drawing, style

    with style():
        return drawing(_figure(name, values, quantity, colour(0)))


def _figure(name: str, values: Sequence[float], quantity: str, colour: str) -> Figure:
    from dnnbridge.drawing.axes import axes_of, figure_with

    axes = axes_of("step", quantity)
    axes.step(range(len(values)), values, where="post", linewidth=1.8, color=colour)
    axes.set_title(name)
    return figure_with(axes)


def overview(schedules: Mapping[str, AbstractSchedule], title: str) -> Drawing | None:
    """Return a small chart of some schedules over the steps in which they change.

    Args:
        schedules: what the legend calls each of them -> schedule.
        title: above the chart.
    """
    require_report("A drawing of a schedule")
    from dnnbridge.drawing.panels import drawing_of as panels_drawing

    steps = max((extent(schedule) for schedule in schedules.values()), default=0)
    places = sorted({steps * i // (POINTS - 1) for i in range(POINTS)})
    curves = []
    for number, (label, schedule) in enumerate(schedules.items()):
        values = _values(schedule, places)
        name = label if len(schedules) > 1 else ""
        curves.append(Curve(name, places[: len(values)], values, number, stairs=True))
    if not any(curve.y for curve in curves):
        return None
    return panels_drawing([Panel(title, tuple(curves), "step")], columns=1)


def _values(schedule: AbstractSchedule, steps: Sequence[int]) -> list[float]:
    """Return the values at some steps, up to the first that the schedule refuses."""
    values: list[float] = []
    for step in steps:
        try:
            values.append(schedule(step))
        except DnnbridgeError:
            break
    return values
