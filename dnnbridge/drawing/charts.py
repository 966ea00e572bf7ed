"""Charts of numbers as SVG, for light and dark pages; needs matplotlib."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

from dnnbridge.drawing.drawing import Drawing

COLOURS = ("#0969da", "#c2410c", "#0f7b6c", "#8250df", "#9a6700", "#bf3989")
"""Colours of curves; further curves repeat them. A page may set others as --series-0, …"""

TEXT, GRID = "#010101", "#020202"
"""Placeholders for the colours of the page, replaced when the SVG is written."""

RULES = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
"""Rules that matplotlib writes for all elements; in a page they would apply outside the SVG."""

JOINS = 'style="stroke-linejoin: round; stroke-linecap: butt"'
"""What those rules say, for this SVG alone."""

STYLE: Any = {
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": TEXT,
    "path.simplify_threshold": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "dnnbridge",
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}


@contextmanager
def style() -> Iterator[None]:
    """Give figures that are made and written inside the look of all charts."""
    with mpl.rc_context(STYLE):
        yield


def colour(i: int) -> str:
    """Return the colour of curve number `i`: a placeholder, until `svg` writes the chart."""
    return f"#0303{i % len(COLOURS):02d}"


def svg(figure: Figure, prefix: str = "") -> str:
    """Return an SVG element, the same text every time.

    Text has the colour of the page around it, and curves those that the page sets.

    Args:
        figure: made inside `style`.
        prefix: goes before the ids of elements, so that a page may hold several charts.
    """
    as_they_are(figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = text.replace(TEXT, "currentColor").replace(GRID, "var(--grid, #88888855)")
    text = re.sub(r"#0303(\d\d)", _of_page, text)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = RULES.sub("", text, count=1).replace("<svg", f"<svg {JOINS}", 1)
    return _prefixed(text, prefix) if prefix else text


def as_they_are(figure: Figure) -> None:
    """Show texts as they are: between two "$" matplotlib would expect mathematics.

    Numbers at a logarithmic axis are mathematics, and stay so.
    """
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    numbers = [axis for axis in axes if not isinstance(axis.get_major_formatter(), FixedFormatter)]
    labels = {id(text) for axis in numbers for text in axis.get_ticklabels(which="both")}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in labels:
            text.set_parse_math(False)


def _prefixed(text: str, prefix: str) -> str:
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}-", text)


def drawing(figure: Figure) -> Drawing:
    """Return a chart for notebooks and files; its ids are those of no other chart in a page."""
    text = svg(figure)
    prefix = f"chart-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Drawing(_prefixed(text, prefix), inline=True)


def _of_page(match: re.Match[str]) -> str:
    i = int(match[1])
    return f"var(--series-{i}, {COLOURS[i]})"
