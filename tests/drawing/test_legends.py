"""Legends of charts: no name covers a curve, and all are in the picture."""

from __future__ import annotations

import pytest

from dnnbridge.drawing.curves import Curve, Panel

pytest.importorskip("matplotlib")

NAMES = {
    "short": ["training", "validation"],
    "long": ["10 Gbit/s", "100 Gbit/s", "200 Gbit/s", "NVLink"],
    "longest": ["a name that is longer than any chart is wide, and is cut", "other"],
    "many": [f"run {k}" for k in range(12)],
}


@pytest.mark.parametrize("x_label", ["epoch", ""])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_legend_covers_no_curve_and_is_inside_the_picture(names, x_label):
    from dnnbridge.drawing.charts import style
    from dnnbridge.drawing.panels import figure_of

    curves = [Curve(name, (1, 2, 3), (k, -k, 2 * k), k) for k, name in enumerate(names)]
    with style():
        figure = figure_of([Panel("loss", tuple(curves), x_label)], 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    box, legend = axes.get_window_extent(), axes.get_legend().get_window_extent()
    assert legend.y1 <= box.y0 or legend.y0 >= box.y1 - 1
    assert legend.y0 >= 0
    assert legend.y1 <= figure.bbox.height
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width
    below = axes.xaxis.label.get_window_extent() if x_label else None
    assert below is None or not below.overlaps(legend)
