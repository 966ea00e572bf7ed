"""Charts and tables of the losses and metrics of epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dnnbridge.base.messages import close_match
from dnnbridge.base.packages import require_report
from dnnbridge.drawing import notebook
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.errors import ArgumentError

Rows = Sequence[Mapping[str, Any]]
"""A row for each epoch: its number from 0 as "epoch", its losses and its metrics."""

VALIDATION = "val_"

CHARTS = 6
"""Charts in a notebook, at most."""

SHOWN = 8
"""Epochs of a table in a notebook, the last ones."""


def metric_names(rows: Rows) -> list[str]:
    """Return the losses and metrics that are single numbers, without those of validation.

    The loss is the first.

    Example:
        >>> metric_names([{"epoch": 0, "loss": 1.0, "table": [[1.0]], "val_loss": 2.0}])
        ['loss']
    """
    names: dict[str, None] = {}
    for row in rows:
        found = (name for name, value in row.items() if name != "epoch" and _is_number(value))
        names |= dict.fromkeys(name.removeprefix(VALIDATION) for name in found)
    return sorted(names, key=lambda name: name != "loss")


def points(rows: Rows, name: str) -> tuple[list[float], list[float]]:
    """Return the epochs, counted from 1, that have a metric, and its values there."""
    found = [(row["epoch"] + 1.0, row[name]) for row in rows if _is_number(row.get(name))]
    return [x for x, _ in found], [float(y) for _, y in found]


def panels(rows: Rows, metrics: str | Iterable[str] | None = None) -> list[Panel]:
    """Return a chart for each metric, with curves of training and validation.

    Args:
        rows: of the epochs.
        metrics: the names to show, without "val_"; by default all that are single numbers.

    Raises:
        ArgumentError: no epoch has such a metric.
    """
    known = metric_names(rows)
    wanted = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    for name in wanted:
        _check_known(name, known, rows)
    return [_panel(rows, name.removeprefix(VALIDATION)) for name in wanted]


def _panel(rows: Rows, name: str) -> Panel:
    curves = []
    for number, (label, prefix) in enumerate((("training", ""), ("validation", VALIDATION))):
        x, y = points(rows, prefix + name)
        if x:
            curves.append(Curve(label, x, y, number))
    return Panel(name, tuple(curves))


def compared(trainings: Mapping[str, Rows], metric: str = "loss") -> Panel:
    """Return a chart with the curve of each training.

    Raises:
        ArgumentError: a training has no such metric.
    """
    curves = []
    for number, (label, rows) in enumerate(trainings.items()):
        x, y = points(rows, metric)
        if not x:
            known = metric_names(rows)
            known += [f"{VALIDATION}{name}" for name in known if points(rows, VALIDATION + name)[0]]
            raise _unknown(metric, known, f"compare: {label}")
        curves.append(Curve(label, x, y, number, dashed=number % 2 == 1))
    title = metric.replace(VALIDATION, "validation ")
    return Panel(title, tuple(curves))


def draw(found: Sequence[Panel], columns: int = 2) -> Drawing:
    """Return a drawing of charts.

    Raises:
        ArgumentError: there is no chart.
        PackageNotInstalledError: the packages of the extra `report` are missing.
    """
    if not found:
        raise ArgumentError("there is nothing to draw: no epoch has been trained", where="plot")
    require_report("A drawing of a training")
    from dnnbridge.drawing.panels import drawing_of

    return drawing_of(found, columns)


def overview(rows: Rows) -> str:
    """Return the first charts as HTML; nothing if there are none, or no packages for them."""
    found = panels(rows)[:CHARTS]
    return notebook.chart(lambda: draw(found) if found else None)


def table(rows: Rows) -> str:
    """Return the last epochs as a table of HTML, and how many are not shown."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "epoch"))
    shown = [name for name in names if any(_is_number(row.get(name)) for row in rows)]
    cells = [
        (str(row["epoch"] + 1), *(_text(row.get(name)) for name in shown)) for row in rows[-SHOWN:]
    ]
    left_out = len(rows) - len(cells)
    more = f"The last {SHOWN} of {len(rows)} epochs." if left_out else ""
    return notebook.table(("epoch", *shown), cells, words=0) + (notebook.note(more) if more else "")


def _text(value: Any) -> str:
    return f"{value:.4g}" if _is_number(value) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_known(name: str, known: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    own = name.removeprefix(VALIDATION)
    if own in known:
        return
    if any(own in row for row in rows):
        raise ArgumentError(
            "the metric has several numbers in each epoch, which are no curve",
            where="plot: metrics",
            got=repr(name),
            hint=f"Draw one of them yourself: [each[0] for each in history[{own!r}]].",
        )
    raise _unknown(name, known, "plot: metrics")


def _unknown(name: str, known: Sequence[str], where: str) -> ArgumentError:
    hint = close_match(name, known) if known else "No epoch has been trained."
    return ArgumentError("no epoch has such a metric", where=where, got=repr(name), hint=hint)
