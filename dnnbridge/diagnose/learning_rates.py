"""`learning_rate_range`: the loss while the learning rate grows from step to step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, number, ratio_of
from dnnbridge.diagnose.subjects import Subject, copy_of, present_loss, train_steps
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FALLS = 0.05
"""The loss must fall by such a share of its start for a suggestion."""

WINDOW = 8
"""A slope is that of the line through 1 / WINDOW of the sweep on either side."""

DIVERGES = 3.0
"""The sweep ends when the smoothed loss has grown by so many times its minimum."""

LEAST_OF_START = 0.1
"""A minimum that is closer to 0 counts as this share of the first loss."""


@dataclass(frozen=True, eq=False, repr=False)
class LearningRateRange(AbstractDiagnosis):
    """The loss of a sweep over learning rates.

    Attributes:
        rates: the learning rate of each step.
        losses: the loss of each step.
        smoothed: a running mean of the losses that weighs older ones less.
        diverged: whether the sweep ended because the loss grew, or was not finite.
        start: the loss of all examples before the sweep.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: bool
    start: float

    title: ClassVar[str] = "learning rate range"

    @property
    def _lowest(self) -> int:
        """Where the smoothed loss is lowest, after an eighth of the sweep has been smoothed."""
        begin = len(self.rates) // WINDOW
        return begin + int(np.argmin(np.nan_to_num(self.smoothed[begin:], nan=np.inf)))

    @property
    def best(self) -> float:
        """The rate at the minimum of the smoothed loss."""
        return self.rates[self._lowest]

    @property
    def tenth_of_minimum(self) -> float:
        """A tenth of the rate at the minimum: a cautious choice."""
        return self.best / 10.0

    @property
    def falls(self) -> float:
        """By what share of the start the smoothed loss falls below it."""
        return ratio_of(self.start - self.smoothed[self._lowest], abs(self.start))

    @property
    def suggestion(self) -> float | None:
        """The rate where the loss falls fastest per factor of the rate, up to the minimum.

        How fast it falls is the slope of the straight line through the losses of an eighth of the
        sweep on either side. None if the smoothed loss falls by less than 5 % of the start.
        """
        end = self._lowest + 1
        if not self.falls >= FALLS or end < 3:
            return None
        return self.rates[int(np.argmin(_slopes(self.losses[:end], self.rates[:end])))]

    @property
    def ok(self) -> bool:
        return self.suggestion is not None

    @property
    def verdict(self) -> str:
        if not math.isfinite(self.start):
            return (
                f"The loss is {self.start} before the sweep, so no rate can be found. Look for "
                "inputs and weights that are not finite or too large."
            )
        if self.suggestion is None:
            return (
                f"No rate from {number(self.rates[0])} to {number(self.rates[-1])} lowers the loss "
                f"by 5%: it starts at {number(self.start)} and is at best "
                f"{number(self.smoothed[self._lowest])}. Start lower or take more steps, and look "
                "at the gradients."
            )
        ends = (
            f"diverges near {number(self.rates[-1])}"
            if self.diverged
            else f"does not diverge up to {number(self.rates[-1])}"
        )
        return (
            f"Try a learning rate of {number(self.suggestion)}, where the loss falls fastest. It "
            f"is lowest near {number(self.best)} (a tenth of it is "
            f"{number(self.tenth_of_minimum)}) and {ends}."
        )

    def table(self) -> list[Row]:
        picked = np.unique(np.linspace(0, len(self.rates) - 1, 12).astype(int))
        return [
            {"rate": self.rates[i], "loss": self.losses[i], "smoothed": self.smoothed[i]}
            for i in picked
        ]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        found = {"loss": (self.rates, self.losses), "smoothed": (self.rates, self.smoothed)}
        marked = {} if self.suggestion is None else {number(self.suggestion): self.suggestion}
        return curves(found, "learning rate", "loss", log_x=True, mark_x=marked)


@explained()
def learning_rate_range(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    smoothing: float = 0.9,
    backend: str | None = None,
) -> LearningRateRange:
    """Train a copy with a learning rate that grows at each step by the same factor.

    The loss is smoothed: m ← β m + (1 - β) loss, divided by 1 - βⁿ. The sweep ends when it is
    not finite, or has grown by 3 times its minimum (0.3 times its start, if that is more). The
    suggestion is the rate where the loss falls fastest. (Smith, "Cyclical learning rates for
    training neural networks", 2017)

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        start: the first rate.
        end: the last rate.
        steps: how many steps.
        batch_size: examples per step; by default 32.
        smoothing: β, from 0 (none) to below 1.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment, or an argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> model = db.Sequential([db.Input((4,)), db.Dense(1)])
        >>> x = np.random.default_rng(0).normal(size=(64, 4))
        >>> experiment = db.Experiment(model, "mse", "sgd")
        >>> found = db.diagnose.learning_rate_range(experiment, x, x[:, :1], backend="reference")
        >>> found.diverged, 0.01 < found.suggestion < 1.0
        (True, True)
    """
    check_positive(steps, "steps")
    if not 0.0 < start < end < math.inf:
        raise DataError("must be above 0 and below end", where="start", got=f"{start} and {end}")
    if not 0.0 <= smoothing < 1.0:
        raise DataError("must be from 0 to below 1", where="smoothing", got=str(smoothing))
    run = copy_of(subject, backend)
    before = present_loss(run, (x, y))
    rates = np.geomspace(start, end, steps).tolist()
    losses: list[float] = []

    def raise_rate(run: Run) -> None:
        run.set_learning_rate(rates[len(losses)])

    def goes_on(run: Run, loss: float) -> bool:
        losses.append(loss)
        return not _diverges(smooth(losses, smoothing))

    train_steps(run, (x, y), steps, batch_size, before=raise_rate, after=goes_on)
    smoothed = smooth(losses, smoothing)
    diverged = len(losses) < steps or _diverges(smoothed)
    return LearningRateRange(
        tuple(rates[: len(losses)]), tuple(losses), tuple(smoothed.tolist()), diverged, before
    )


def smooth(losses: Sequence[float], beta: float) -> Array:
    """Return the running mean m ← β m + (1 - β) loss, divided by 1 - βⁿ.

    Example:
        >>> smooth([1.0, 3.0], 0.5).round(4).tolist()
        [1.0, 2.3333]
    """
    mean, made = 0.0, []
    for n, loss in enumerate(losses, 1):
        mean = beta * mean + (1.0 - beta) * loss
        made.append(mean / (1.0 - beta**n))
    return np.array(made)


def _slopes(losses: Sequence[float], rates: Sequence[float]) -> Array:
    """Return at each rate the slope of a line through the losses around it, by log rate."""
    y, x, side = np.array(losses), np.log(rates), max(len(losses) // WINDOW, 2)
    around = [slice(max(i - side, 0), i + side + 1) for i in range(len(y))]
    return np.array([np.polyfit(x[each], y[each], 1)[0] for each in around])


def _diverges(smoothed: Array) -> bool:
    first, last = float(smoothed[0]), float(smoothed[-1])
    if not math.isfinite(last):
        return True
    least = float(np.nanmin(smoothed))
    return last - least > DIVERGES * max(abs(least), LEAST_OF_START * abs(first))
