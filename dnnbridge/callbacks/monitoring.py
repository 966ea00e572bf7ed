"""`AbstractMonitor`: base of the callbacks that follow one metric."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Literal

from dnnbridge.base.messages import close_match
from dnnbridge.errors import ArgumentError, DataError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs, numbers

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

Mode = Literal["auto", "min", "max"]


class AbstractMonitor(Callback):
    """Base of the callbacks that follow one metric.

    Args:
        monitor: the name of the metric in the history.
        mode: "min" if lower is better, "max" if higher is better; "auto" goes by the metric.
        min_delta: the smallest change that counts as an improvement; its sign does not matter.

    Raises:
        ArgumentError: another mode.
    """

    monitor: str

    def __init__(self, monitor: str, mode: Mode, min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(
                'must be "auto", "min" or "max"',
                where=f"{type(self).__name__}.mode",
                got=repr(mode),
            )
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(float(min_delta))
        self._sign = 0.0

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        where = f"{type(self).__name__}.monitor"
        goals, label = run.goals, self.monitor.removeprefix("val_")
        if label not in goals:
            raise DataError(
                "the run has no loss or metric of this name",
                where=where,
                got=repr(self.monitor),
                hint=close_match(label, goals),
            )
        goal = goals[label] if self.mode == "auto" else self.mode
        if goal is None:
            raise DataError(
                "cannot tell whether a lower or a higher value of this metric is better",
                where=where,
                got=repr(self.monitor),
                hint='Write mode="min" or mode="max".',
            )
        self._sign = -1.0 if goal == "min" else 1.0

    def value(self, logs: Logs) -> float | None:
        """Return the metric of an epoch; None after an epoch without validation.

        Raises:
            DataError: it is not one number.
        """
        if (found := logs.get(self.monitor)) is None:
            return None
        if not isinstance(found, (int, float)):
            raise DataError(
                "is not one number, so it cannot be followed",
                where=f"{type(self).__name__}.monitor",
                got=repr(self.monitor),
            )
        return float(found)

    def better(self, value: float, than: float | None) -> bool:
        """Return whether a value is an improvement; what is not finite is none."""
        if not math.isfinite(value):
            return False
        return than is None or self._sign * value - self.min_delta > self._sign * than


def say(callback: Callback, text: str) -> None:
    """Write what a callback does on the standard error output."""
    print(f"{type(callback).__name__}: {text}", file=sys.stderr, flush=True)


def with_rate(run: Run, logs: Logs) -> dict[str, float]:
    """Return the numbers of an epoch and, where there is a single one, the learning rate."""
    rate = run.learning_rate
    return numbers(logs) | ({} if rate is None else {"learning_rate": rate})
