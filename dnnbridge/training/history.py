"""`History`: the losses and metrics of a training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.base.packages import imported
from dnnbridge.drawing import notebook
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.errors import ArgumentError
from dnnbridge.metrics.base import MetricValue
from dnnbridge.training import history_charts

Logs = dict[str, MetricValue]
"""Losses and metrics of an epoch."""


def numbers(logs: Logs) -> dict[str, float]:
    """Return the values that are single numbers."""
    return {name: value for name, value in logs.items() if not isinstance(value, list)}


@dataclass
class History:
    """Losses and metrics of a call of `fit`.

    Attributes:
        history: label -> one value per epoch: "loss", every metric, and both with "val_" for the
            validation data, which may have been evaluated after fewer epochs. Values are
            numbers, except for metrics such as a confusion matrix.
        epochs: the number of each epoch, counted from 0 over the life of the run.
        step_losses: the loss of every step, before its update.
        nonfinite_step: the first step whose loss or updated weights are infinite or NaN, counted
            from 1 over the life of the run; None if all are finite.
        nonfinite_what: what was not finite in that step, if `TerminateOnNonFinite` has found it.
    """

    history: dict[str, list[MetricValue]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    nonfinite_step: int | None = None
    nonfinite_what: str = ""
    _rows: list[dict[str, MetricValue]] = field(default_factory=list, repr=False)

    def rows(self) -> list[dict[str, MetricValue]]:
        """Return a row for each epoch: its number as "epoch", its losses and its metrics."""
        return [dict(row) for row in self._rows]

    def record(self, epoch: int, logs: Logs) -> None:
        """Add the numbers of an epoch."""
        self.epochs.append(epoch)
        self._rows.append({"epoch": epoch, **logs})
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    @explained(name="plot")
    def plot(
        self, metrics: str | Iterable[str] | None = None, path: str | Path | None = None
    ) -> Drawing:
        """Return a drawing of the losses and metrics; a notebook shows it.

        Each has a small chart over the epochs, with a curve of training and one of validation.
        A chart has a log scale if its values are positive and span more than two decades.

        Args:
            metrics: names to show, without "val_"; by default all that are single numbers.
            path: SVG file to write as well.

        Raises:
            ArgumentError: no epoch has such a metric.
            PackageNotInstalledError: the packages of the extra `report` are missing.

        Example:
            >>> history = History()
            >>> history.record(0, {"loss": 0.5, "val_loss": 0.7})
            >>> history.record(1, {"loss": 0.2, "val_loss": 0.6})
            >>> history.plot("loss").svg[:4]
            '<svg'
        """
        return _saved(history_charts.draw(history_charts.panels(self._rows, metrics)), path)

    @explained(name="compare")
    def compare(
        self,
        *others: History,
        labels: Sequence[str] | None = None,
        metric: str = "loss",
        path: str | Path | None = None,
    ) -> Drawing:
        """Return a drawing with the curve of this training and of others.

        Args:
            others: what other calls of `fit` returned.
            labels: a name for each curve, this one first; by default "1", "2", ….
            metric: the loss or metric to show, such as "val_accuracy".
            path: SVG file to write as well.

        Raises:
            ArgumentError: a training has no such metric, the number of labels is wrong, or another
                argument is no `History`.
            PackageNotInstalledError: the packages of the extra `report` are missing.

        Example:
            >>> slow, fast = History(), History()
            >>> for epoch in range(3):
            ...     slow.record(epoch, {"loss": 1.0 / (1 + epoch)})
            ...     fast.record(epoch, {"loss": 0.5 / (1 + epoch)})
            >>> slow.compare(fast, labels=["SGD", "Adam"]).svg.count("Adam") > 0
            True
        """
        histories = (self, *map(_checked, others))
        names = _labels(labels, len(histories))
        rows = {name: each.rows() for name, each in zip(names, histories, strict=True)}
        return _saved(history_charts.draw([history_charts.compared(rows, metric)]), path)

    def to_pandas(self) -> Any:
        """Return a pandas data frame with a row for each epoch, which is the index.

        Values that are no single numbers, such as confusion matrices, are lists in their cells.

        Raises:
            PackageNotInstalledError: pandas is not installed.

        Example:
            >>> history = History()
            >>> history.record(0, {"loss": 0.5})
            >>> history.to_pandas()["loss"].tolist()
            [0.5]
        """
        pandas = imported("pandas", "History.to_pandas")
        names = dict.fromkeys(name for row in self._rows for name in row if name != "epoch")
        columns = {name: [row.get(name) for row in self._rows] for name in names}
        return pandas.DataFrame(columns, index=pandas.Index(self.epochs, name="epoch"))

    def _repr_html_(self) -> str:
        count = len(self.epochs)
        if not count:
            return notebook.block("History: no epoch has been finished")
        return notebook.block(
            f"History of {count} epoch{'s' * (count != 1)}",
            history_charts.table(self._rows),
            history_charts.overview(self._rows),
        )


def _checked(other: Any) -> History:
    if not isinstance(other, History):
        raise ArgumentError(
            "needs what other calls of fit returned",
            where="compare: others",
            got=what(other),
            hint="Write history.compare(run.fit(x, y)), or run.history for the last call.",
        )
    return other


def _labels(labels: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of curves, each another."""
    names = [str(i + 1) for i in range(count)] if labels is None else list(map(str, labels))
    if isinstance(labels, str) or len(names) != count or len(set(names)) < count:
        raise ArgumentError(
            f"needs {count} different labels, one for each training and this one first",
            where="compare: labels",
            got=repr(labels),
        )
    return names


def _saved(drawing: Drawing, path: str | Path | None) -> Drawing:
    if path is not None:
        drawing.save(path)
    return drawing
