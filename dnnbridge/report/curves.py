"""Draw curves as SVG with the colours of the page, for light and dark mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.axes import axes_of, figure_with
from dnnbridge.drawing.charts import TEXT, colour, style, svg
from dnnbridge.report.comparing import PARTED, Comparison

FIRST_PAIR = 3
"""Colour of the first pair, so that pairs do not look like backends."""

WIDTHS = (6.0, 2.4, 1.2)
"""Line widths. The first curve is wide, so that it stays visible below an equal one."""

WINDOWS = 50
"""A running mean covers this fraction of the training: 1 / WINDOWS."""

LARGEST = 1e100
"""Numbers from here on are not drawn, as the margin of the axis would overflow."""


def training_loss(comparison: Comparison) -> str:
    """Draw the loss of every step, faintly, and its running mean."""
    with style():
        axes = axes_of("step", "training loss")
        for i, recording in enumerate(comparison.recordings):
            losses = np.asarray(recording.step_losses, np.float64)
            losses = np.where(np.abs(losses) < LARGEST, losses, np.nan)
            steps = np.arange(1, len(losses) + 1)
            window = max(1, len(losses) // WINDOWS)
            if window > 1:
                axes.plot(steps, losses, color=colour(i), alpha=0.15, linewidth=0.8)
            mean = running_mean(losses, window)
            axes.plot(steps[window - 1 :], mean, label=recording.backend, **_stroke(i))
        _legend(axes)
        return _svg(axes, "loss")


def differences(comparison: Comparison) -> str:
    """Draw the differences of step losses and weights of each pair on a log scale."""
    with style():
        axes = axes_of("step", "relative difference")
        axes.set_yscale("log")
        for i, pair in enumerate(comparison.pairs, FIRST_PAIR):
            line: Any = {"color": colour(i), "linewidth": 1.6}
            steps = np.arange(1, len(pair.step_losses) + 1)
            raw = _positive(pair.step_losses)
            axes.plot(steps, raw, color=colour(i), alpha=0.3, linewidth=0.8)
            axes.plot(steps, np.fmax.accumulate(raw), label=pair.name, **line)
            ends = comparison.recordings[0].steps_per_epoch * np.arange(1, len(pair.epochs) + 1)
            weights = _positive([epoch.parameters for epoch in pair.epochs])
            axes.plot(ends, weights, marker="o", markersize=5, linestyle=":", **line)
        _limits(axes)
        axes.axhline(PARTED, color=TEXT, linestyle="--", linewidth=0.8, alpha=0.6)
        _legend(axes)
        return _svg(axes, "difference")


def epoch_metric(comparison: Comparison) -> tuple[str, str]:
    """Draw the validation accuracy (or loss) after every epoch; return its name and the SVG."""
    names = ("val_accuracy", "accuracy", "val_loss", "loss")
    name = next(name for name in names if name in comparison.recordings[0].epochs[0])
    with style():
        title = name.replace("val_", "validation ")
        axes = axes_of("epoch", title)
        for i, recording in enumerate(comparison.recordings):
            values = [epoch[name] for epoch in recording.epochs]
            stroke = _stroke(i) | {"marker": "o", "markersize": 3 + _stroke(i)["linewidth"]}
            axes.plot(range(1, len(values) + 1), values, label=recording.backend, **stroke)
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
    figure_with(axes).legend(loc="outside upper right", ncols=3, handlelength=2.6)


def _stroke(i: int) -> dict[str, Any]:
    """Return the colour, width, opacity and line style of curve number `i`."""
    last = len(WIDTHS) - 1
    style = {"color": colour(i), "linewidth": WIDTHS[min(i, last)]}
    return style | {"alpha": 0.35 if i == 0 else 1.0, "linestyle": "--" if i >= last else "-"}


def _positive(values: Sequence[float]) -> Array:
    """Return the values, with NaN for those that a log scale cannot show."""
    array = np.asarray(values, np.float64)
    return np.where((array > 0) & (array < LARGEST), array, np.nan)


def _svg(axes: Axes, prefix: str) -> str:
    return svg(figure_with(axes), prefix)
