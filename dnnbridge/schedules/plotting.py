"""Drawing of a schedule: the value of every step."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnnbridge.base.packages import require_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure_of(name: str, values: Sequence[float], quantity: str = "learning rate") -> Figure:
    """Draw the value of every step."""
    require_report("A drawing of a schedule")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from dnnbridge.drawing.axes import axes_of

    with mpl.rc_context({"svg.fonttype": "none", "axes.grid": True, "grid.alpha": 0.3}):
        axes = axes_of("step", quantity)
        axes.step(range(len(values)), values, where="post", linewidth=1.8)
        axes.set_title(name)
        figure = axes.figure
        assert isinstance(figure, Figure)
        return figure


def svg_of(name: str, values: Sequence[float], quantity: str) -> str:
    """Return the drawing of `figure_of` as SVG, the same text every time."""
    require_report("A drawing of a schedule")
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dnnbridge"}):
        figure = figure_of(name, values, quantity)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
