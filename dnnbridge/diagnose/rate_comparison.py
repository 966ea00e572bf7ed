"""`compare_rates`: the same training with several learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, listed, number
from dnnbridge.diagnose.learning_rates import smooth
from dnnbridge.diagnose.subjects import Subject, copy_of, present_loss
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = (1e-4, 1e-3, 1e-2, 1e-1)

SMOOTHING = 0.9
"""How slowly the curves of the picture follow the losses of the steps."""

MOVES = 0.05
"""A loss that changes by a smaller share of its start stands still."""


@dataclass(frozen=True, eq=False, repr=False)
class RateComparison(AbstractDiagnosis):
    """Trainings from the same weights with several learning rates.

    Attributes:
        histories: the history of each training by its rate, in the order given.
        start: the loss of all examples before training.
    """

    histories: Mapping[float, History]
    start: float

    title: ClassVar[str] = "learning rates"

    @property
    def losses(self) -> dict[float, float]:
        """The loss of the last epoch by rate; infinite where it is not finite."""
        return {rate: _last(history) for rate, history in self.histories.items()}

    @property
    def best(self) -> float | None:
        """The rate with the lowest loss; None if none has a finite loss."""
        rate = min(self.losses, key=self.losses.__getitem__)
        return rate if math.isfinite(self.losses[rate]) else None

    @property
    def diverged(self) -> tuple[float, ...]:
        """Rates whose loss became infinite or NaN, or ends more than 5 % above its start."""
        return tuple(rate for rate, moved in self._moved.items() if moved >= MOVES)

    @property
    def slow(self) -> tuple[float, ...]:
        """Rates whose loss moves by less than 5 % of its start."""
        return tuple(rate for rate, moved in self._moved.items() if abs(moved) < MOVES)

    @property
    def _moved(self) -> dict[float, float]:
        """How far the loss of each rate ends above its start, as a share of it."""
        unit = abs(self.start) or 1.0
        return {rate: (loss - self.start) / unit for rate, loss in self.losses.items()}

    @property
    def ok(self) -> bool:
        return self.best is not None and self.best not in {*self.diverged, *self.slow}

    @property
    def verdict(self) -> str:
        if self.best is None or self.best in self.diverged:
            return f"No rate lowers the loss: {_words(self.diverged)} diverge. Try smaller ones."
        if self.best in self.slow:
            high = f", and {_words(self.diverged)} let it grow" if self.diverged else ""
            return (
                f"No rate lowers the loss by 5%: it hardly moves with {_words(self.slow)}{high}. "
                "Try rates between and above these, or more epochs, and look at the gradients."
            )
        parts = [f"{number(self.best)} is best: the loss ends at {number(self.losses[self.best])}."]
        if self.diverged:
            parts.append(f"Too high, the loss grows: {_words(self.diverged)}.")
        if self.slow:
            parts.append(f"With {_words(self.slow)} it hardly moves.")
        if self.best == max(self.histories):
            parts.append("Try higher ones too.")
        elif self.best == min(self.histories):
            parts.append("Try lower ones too.")
        return " ".join(parts)

    def table(self) -> list[Row]:
        return [
            {"rate": rate, "first loss": self.start, "last loss": loss}
            for rate, loss in self.losses.items()
        ]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        found = {
            number(rate): (range(1, len(h.step_losses) + 1), smooth(h.step_losses, SMOOTHING))
            for rate, h in self.histories.items()
        }
        return curves(found, "step", "smoothed loss", log_y=bool(self.diverged))


def _last(history: History) -> float:
    """Return the loss of the last epoch, or of the last step of a training that was stopped."""
    if history.nonfinite_step is not None:
        return math.inf
    found = history.history.get("loss") or history.step_losses[-1:]
    assert isinstance(found[-1], float)
    return found[-1] if math.isfinite(found[-1]) else math.inf


def _words(rates: Sequence[float]) -> str:
    return listed([number(rate) for rate in rates], most=6)


@explained()
def compare_rates(
    subject: Subject,
    x: Any,
    y: Any,
    rates: Sequence[float] = RATES,
    *,
    epochs: int = 3,
    batch_size: int | None = None,
    backend: str | None = None,
) -> RateComparison:
    """Train copies from the same weights with several learning rates.

    Nothing is compiled again for a rate. A rate takes the place of a schedule.

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        rates: learning rates.
        epochs: epochs for each.
        batch_size: examples per step; by default 32.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment, or a rate is not above 0.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> model = db.Sequential([db.Input((4,)), db.Dense(1)])
        >>> x = np.random.default_rng(0).normal(size=(64, 4))
        >>> experiment = db.Experiment(model, "mse", "sgd")
        >>> found = db.diagnose.compare_rates(
        ...     experiment, x, x[:, :1], [1e-6, 0.1, 10.0], backend="reference"
        ... )
        >>> found.best, found.diverged, found.slow
        (0.1, (10.0,), (1e-06,))
    """
    check_positive(epochs, "epochs")
    wanted = [float(rate) for rate in rates]
    if not wanted or not all(0.0 < rate < math.inf for rate in wanted):
        raise DataError("must be learning rates above 0", where="rates", got=str(list(rates)))
    run = copy_of(subject, backend)
    start = run.state(), run.position, run.optimizer, run.epoch_sums()
    found, loss = {}, present_loss(run, (x, y))
    for rate in wanted:
        run.set_state(*start)
        run.set_learning_rate(rate)
        found[rate] = run.fit(x, y, batch_size, epochs, verbose=0)
    return RateComparison(found, loss)
