"""Drawing of a schedule: the value of every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnnbridge.base.packages import require_report
from dnnbridge.drawing.drawing import Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
