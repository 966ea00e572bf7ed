"""A figure with one pair of axes; needs matplotlib."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def axes_of(x: str, y: str) -> Axes:
    """Return the axes of a new figure, with integer ticks on x."""
    axes = Figure(figsize=(7.6, 3.3), layout="constrained").add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def figure_with(axes: Axes) -> Figure:
    """Return the figure that axes of `axes_of` belong to."""
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure
