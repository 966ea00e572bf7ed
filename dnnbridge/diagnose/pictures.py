"""Pictures of diagnoses, in the style of all charts; needs matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.axes import axes_of, figure_with
from dnnbridge.drawing.charts import TEXT, colour

if TYPE_CHECKING:
    from dnnbridge.diagnose.layer_activations import LayerActivations

LARGEST = 1e100
"""Numbers from here on are not drawn."""

MOST = 12
"""Most curves of a picture."""

MARK: Any = {"color": TEXT, "linestyle": ":", "linewidth": 1.0, "alpha": 0.7}

Curve = tuple[Sequence[float] | Array, Sequence[float] | Array]
"""The points of a curve: places and values."""


def histograms(layers: Sequence[LayerActivations]) -> Figure:
    """Draw the histogram of each layer, with mean and standard deviation."""
    columns = min(5, len(layers))
    lines = math.ceil(len(layers) / columns)
    figure = Figure(figsize=(7.6, 0.4 + 1.7 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, layer in zip(grid, layers, strict=False):
        axes.stairs(layer.counts, layer.edges, fill=True, color=colour(0))
        axes.set_title(f"{layer.name}\n{layer.mean:.2g} ± {layer.std:.2g}", fontsize=8)
        axes.tick_params(labelsize=7, labelleft=False)
        axes.locator_params(axis="x", nbins=3)
    for axes in grid[len(layers) :]:
        axes.set_axis_off()
    return figure


def curves(
    found: Mapping[str, Curve],
    x: str,
    y: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    dashed: Sequence[str] = (),
    mark_x: Mapping[str, float] | None = None,
    mark_y: Mapping[str, float] | None = None,
) -> Figure:
    """Draw curves by name; of very many only some, evenly chosen.

    Args:
        found: points of each curve.
        x: label of the places.
        y: label of the values.
        log_x: whether places are on a log scale.
        log_y: whether values are on a log scale; those of 0 or less are gaps.
        dashed: names that repeat the colour of the curve before them, as a dashed line.
        mark_x: places for a thin line, by text.
        mark_y: values for a thin line, by text.
    """
    axes = axes_of(x, y)
    number = -1
    for name in _some([*found], MOST):
        number += name not in dashed
        places, values = found[name]
        stroke: Any = {"color": colour(number), "linestyle": "--" if name in dashed else "-"}
        many = len(values) > 1
        axes.plot(places, drawn(values, log_y), label=name, marker="" if many else "o", **stroke)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    for text, place in (mark_x or {}).items():
        axes.axvline(place, **MARK)
        where = axes.get_xaxis_transform()
        axes.text(place, 0.97, f" {text}", transform=where, va="top", fontsize=8)
    for text, value in (mark_y or {}).items():
        axes.axhline(value, **MARK)
        axes.text(0.01, value, text, transform=axes.get_yaxis_transform(), va="bottom", fontsize=8)
    figure = figure_with(axes)
    columns = 3 if len(found) > 1 else 1
    figure.legend(loc="outside upper right", ncols=columns, handlelength=2.6)
    return figure


def drawn(values: Sequence[float] | Array, log: bool = False) -> Array:
    """Return values with NaN for those that cannot be drawn."""
    array = np.asarray(values, np.float64)
    shown = np.isfinite(array) & (np.abs(array) < LARGEST)
    return np.where(shown & (array > 0) if log else shown, array, np.nan)


def _some(names: list[str], most: int) -> list[str]:
    if len(names) <= most:
        return names
    return [names[i] for i in np.unique(np.linspace(0, len(names) - 1, most).astype(int))]


def bars(found: Mapping[str, float], y: str, mark_y: Mapping[str, float]) -> Figure:
    """Draw a bar for each number, and thin lines at values."""
    axes = axes_of("", y)
    values = drawn(list(found.values()))
    axes.bar(range(len(found)), values, width=0.5, color=[colour(i) for i in range(len(found))])
    axes.set_xticks(range(len(found)), list(found))
    for text, value in mark_y.items():
        axes.axhline(value, **MARK)
        axes.text(0.99, value, text, transform=axes.get_yaxis_transform(), va="bottom", ha="right")
    return figure_with(axes)
