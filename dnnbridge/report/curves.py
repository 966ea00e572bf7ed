"""Draw curves as SVG with the colours of the page, for light and dark mode."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.axes import axes_of
from dnnbridge.report.comparing import PARTED, Comparison

SERIES = 6
"""Number of colours in the page; further curves repeat them."""

FIRST_PAIR = 3
"""Colour of the first pair, so that pairs do not look like backends."""

TEXT, GRID = "#010101", "#020202"
"""Placeholders for the colours of the page, replaced when the SVG is written."""

WIDTHS = (6.0, 2.4, 1.2)
"""Line widths. The first curve is wide, so that it stays visible below an equal one."""

WINDOWS = 50
"""A running mean covers this fraction of the training: 1 / WINDOWS."""

STYLE: Any = {
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
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

LARGEST = 1e100
"""Numbers from here on are not drawn, as the margin of the axis would overflow."""


def training_loss(comparison: Comparison) -> str:
    """Draw the loss of every step, faintly, and its running mean."""
    with mpl.rc_context(STYLE):
        axes = axes_of("step", "training loss")
        for i, recording in enumerate(comparison.recordings):
            losses = np.asarray(recording.step_losses, np.float64)
            losses = np.where(np.abs(losses) < LARGEST, losses, np.nan)
            steps = np.arange(1, len(losses) + 1)
            window = max(1, len(losses) // WINDOWS)
            if window > 1:
                axes.plot(steps, losses, color=_colour(i), alpha=0.15, linewidth=0.8)
            mean = running_mean(losses, window)
            axes.plot(steps[window - 1 :], mean, label=recording.backend, **_stroke(i))
        _legend(axes)
        return _svg(axes, "loss")


def differences(comparison: Comparison) -> str:
    """Draw the differences of step losses and weights of each pair on a log scale."""
    with mpl.rc_context(STYLE):
        axes = axes_of("step", "relative difference")
        axes.set_yscale("log")
        for i, pair in enumerate(comparison.pairs, FIRST_PAIR):
            style: Any = {"color": _colour(i), "linewidth": 1.6}
            steps = np.arange(1, len(pair.step_losses) + 1)
            raw = _positive(pair.step_losses)
            axes.plot(steps, raw, color=_colour(i), alpha=0.3, linewidth=0.8)
            axes.plot(steps, np.fmax.accumulate(raw), label=pair.name, **style)
            ends = comparison.recordings[0].steps_per_epoch * np.arange(1, len(pair.epochs) + 1)
            weights = _positive([epoch.parameters for epoch in pair.epochs])
            axes.plot(ends, weights, marker="o", markersize=5, linestyle=":", **style)
        _limits(axes)
        axes.axhline(PARTED, color=TEXT, linestyle="--", linewidth=0.8, alpha=0.6)
        _legend(axes)
        return _svg(axes, "difference")


def epoch_metric(comparison: Comparison) -> tuple[str, str]:
    """Draw the validation accuracy (or loss) after every epoch; return its name and the SVG."""
    names = ("val_accuracy", "accuracy", "val_loss", "loss")
    name = next(name for name in names if name in comparison.recordings[0].epochs[0])
    with mpl.rc_context(STYLE):
        title = name.replace("val_", "validation ")
        axes = axes_of("epoch", title)
        for i, recording in enumerate(comparison.recordings):
            values = [epoch[name] for epoch in recording.epochs]
            style = _stroke(i) | {"marker": "o", "markersize": 3 + _stroke(i)["linewidth"]}
            axes.plot(range(1, len(values) + 1), values, label=recording.backend, **style)
        _legend(axes)
        return title, _svg(axes, "metric")


def running_mean(values: Array, window: int) -> Array:
    """Return the mean of every `window` neighbours.

    Example:
        >>> running_mean(np.array([1.0, 3.0, 5.0]), 2).tolist()
        [2.0, 4.0]
    """
    return np.convolve(values, np.full(window, 1.0 / window), mode="valid")


def _limits(axes: Axes) -> None:
    """Set the limits of the log scale to include all curves and the line at `PARTED`."""
    drawn = [np.asarray(line.get_ydata(), np.float64) for line in axes.lines]
    found = np.concatenate([*drawn, [PARTED]])
    found = found[np.isfinite(found)]
    axes.set_ylim(found.min() / 3, found.max() * 3)


def _legend(axes: Axes) -> None:
    figure = axes.figure
    assert isinstance(figure, Figure)
    figure.legend(loc="outside upper right", ncols=3, handlelength=2.6)


def _colour(i: int) -> str:
    return f"#0303{i % SERIES:02d}"


def _stroke(i: int) -> dict[str, Any]:
    """Return the colour, width, opacity and line style of curve number `i`."""
    last = len(WIDTHS) - 1
    style = {"color": _colour(i), "linewidth": WIDTHS[min(i, last)]}
    return style | {"alpha": 0.35 if i == 0 else 1.0, "linestyle": "--" if i >= last else "-"}


def _positive(values: Sequence[float]) -> Array:
    """Return the values, with NaN for those that a log scale cannot show."""
    array = np.asarray(values, np.float64)
    return np.where((array > 0) & (array < LARGEST), array, np.nan)


def _svg(axes: Axes, prefix: str) -> str:
    """Return an SVG element with the colours of the page and unique ids."""
    buffer = io.StringIO()
    axes.figure.savefig(buffer, format="svg", metadata={"Date": None})  # type: ignore[union-attr]
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(TEXT, "currentColor").replace(GRID, "var(--grid)")
    text = re.sub(r"#0303(\d\d)", lambda m: f"var(--series-{int(m[1])})", text)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}-", text)
