"""`History`: the losses and metrics of a training."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnnbridge.metrics.base import MetricValue

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
