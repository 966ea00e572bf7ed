"""`LearningRateScheduler` and `ReduceLROnPlateau`: change the rate between epochs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, SupportsFloat

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.callbacks.monitoring import AbstractMonitor, Mode, say
from dnnbridge.errors import ArgumentError, RunError
from dnnbridge.schedules import AbstractSchedule, ConstantSchedule, Plateau
from dnnbridge.schedules.listening import listens
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch by a function, as in Keras.

    A schedule in the spec (`PerEpoch`, `ExponentialDecay`, …) does the same, and is saved with the
    run; this is for a rate that only Python can compute.

    Args:
        schedule: called with the epoch, counted from 0, and the present rate, or with the epoch
            alone if it takes one argument; returns the rate.
        verbose: 1 says each rate, 0 says nothing.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
        >>> _ = run.fit([[1.0]], [[2.0]], epochs=3, callbacks=[halve], verbose=0)
        >>> run.learning_rate
        0.025
    """

    @explained(name="LearningRateScheduler")
    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentError(
                "must be a function of the epoch and the rate",
                where="LearningRateScheduler.schedule",
                got=what(schedule),
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        rate = run.learning_rate
        if rate is None:
            raise RunError(
                "groups of weights have different learning rates",
                where="LearningRateScheduler",
                hint="Give each group a schedule in the spec.",
            )
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
            given: tuple[float, ...] = (epoch, rate)
        except (TypeError, ValueError):
            given = (epoch,)
        run.set_learning_rate(_rate(self.schedule(*given)))
        if self.verbose:
            say(self, f"epoch {epoch + 1}: the learning rate is {run.learning_rate:g}")


def _rate(given: Any) -> float:
    """Return a number, also that of an array or a tensor; a text is none."""
    if isinstance(given, SupportsFloat):
        with suppress(TypeError, ValueError):
            return float(given)
    raise ArgumentError(
        "must return a number",
        where="LearningRateScheduler.schedule",
        got=what(given),
        hint="Return the rate of the epoch.",
    )


class ReduceLROnPlateau(AbstractMonitor):
    """Reduce the learning rate when a metric has stopped improving, as in Keras.

    It puts a `Plateau` around the rate of the run's optimizer, or around its schedule, for the
    time of this `fit`; a checkpoint holds it. `Plateau` in the spec does the same.

    Args:
        monitor: the name of the metric in the history.
        factor: the rate is multiplied by it; below 1.
        patience: epochs without improvement before the rate falls.
        verbose: 1 says each new rate, 0 says nothing.
        mode: "min" if lower is better, "max" if higher is better; "auto" goes by the metric.
        min_delta: the smallest change that counts as an improvement.
        cooldown: number of epochs after a reduction that are not counted.
        min_lr: lower bound of the rate.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(2.0)), "reference")
        >>> reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> _ = run.fit([[1.0]], [[2.0]], epochs=4, callbacks=[reduce], verbose=0)
        >>> run.learning_rate
        0.25
    """

    @explained(name="ReduceLROnPlateau")
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.verbose = verbose
        self._plateau = Plateau(
            1.0, monitor, factor, patience, "min", self.min_delta, cooldown, min_lr
        )
        self._rate: float | None = None

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        super().on_train_begin(run, epochs, steps_per_epoch)
        mode: Mode = "min" if self._sign < 0 else "max"
        if not listens(run.optimizer):  # a run that was loaded may have it already
            run.change_learning_rate(
                lambda rate: self._plateau.replace(learning_rate=rate, mode=mode)
            )
        self._rate = run.learning_rate

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        rate = run.learning_rate
        if self.verbose and rate != self._rate and rate is not None:
            say(self, f"epoch {epoch + 1}: the learning rate is {rate:g}")
        self._rate = rate

    def on_train_end(self, run: Run) -> None:
        run.change_learning_rate(_settled)


def _settled(rate: AbstractSchedule) -> AbstractSchedule:
    """Return a `Plateau` around a number as the number that it has come to."""
    if isinstance(rate, Plateau) and isinstance(rate.learning_rate, ConstantSchedule):
        return ConstantSchedule(rate(0))
    return rate
