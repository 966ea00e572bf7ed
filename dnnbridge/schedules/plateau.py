"""`Plateau`: a schedule that depends on a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Self

from dnnbridge.errors import SpecError
from dnnbridge.schedules.base import AbstractSchedule, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Float, Fraction, NonNegativeFloat, NonNegativeInt
from dnnbridge.specs.former_names import present_label
from dnnbridge.specs.goals import goal_of
from dnnbridge.specs.spec import spec

Mode = Literal["auto", "min", "max"]


@spec
class Plateau(AbstractSchedule):
    """Multiply a schedule by `factor` when a metric has not improved for `patience` epochs

    Also called performance scheduling. It follows `keras.callbacks.ReduceLROnPlateau`, but is
    immutable: `heard` returns the schedule of the next epoch. Its state is in its fields, so a
    checkpoint stores it. The scaled rate is at least `min_lr` and at most the schedule's rate.

    An epoch without validation does not count for a metric of the validation.

    A metric that is not finite is no improvement. Keras keeps a NaN of the first epoch as the
    best value, and no later value counts as better.

    Args:
        learning_rate: a number or a schedule of the step.
        monitor: name of the metric in the history.
        factor: below 1.
        patience: epochs without improvement before the rate falls.
        mode: "min" if lower is better, "max" if higher is better; "auto" chooses by the name of a
            loss or metric of dnnbridge.
        min_delta: the smallest change of the metric that counts as an improvement.
        cooldown: number of epochs after a reduction that are not counted.
        min_lr: lower bound of the scaled rate.
        scale: product of the factors so far.
        best: the best value so far.
        waited: epochs without improvement so far.
        cooling: remaining epochs of the cooldown.

    Example:
        >>> schedule = Plateau(0.1, patience=2, factor=0.5)
        >>> for loss in (0.9, 0.8, 0.8, 0.81):
        ...     schedule = schedule.heard({"val_loss": loss})
        >>> schedule(step=40), schedule.best
        (0.05, 0.8)
    """

    learning_rate: ScheduleField
    monitor: str = "val_loss"
    factor: Fraction = 0.1
    patience: NonNegativeInt = 10
    mode: Mode = "auto"
    min_delta: NonNegativeFloat = 1e-4
    cooldown: NonNegativeInt = 0
    min_lr: NonNegativeFloat = 0.0
    scale: NonNegativeFloat = 1.0
    best: Float | None = None
    waited: NonNegativeInt = 0
    cooling: NonNegativeInt = 0

    def __post_init__(self) -> None:
        if self.mode == "auto" and goal_of(self.monitor) is None:
            raise SpecError(
                "cannot tell whether a lower or a higher value of this metric is better",
                where=".monitor",
                got=repr(self.monitor),
                hint='Write mode="min" or mode="max".',
            )

    def __call__(self, step: int) -> float:
        full = self.learning_rate(step)
        return min(full, max(self.min_lr, self.scale * full))

    def heard(self, logs: Mapping[str, object]) -> Plateau:
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            return self  # no validation after this epoch
        value = self.monitored(logs)
        cooling = max(self.cooling - 1, 0)
        if self._improves(value):
            return self.replace(best=value, waited=0, cooling=cooling)
        waited = 0 if cooling else self.waited + 1
        if cooling or waited < self.patience:
            return self.replace(waited=waited, cooling=cooling)
        return self.replace(scale=self.scale * self.factor, waited=0, cooling=self.cooldown)

    def _improves(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.best is None:
            return True
        if (goal_of(self.monitor) if self.mode == "auto" else self.mode) == "min":
            return value + self.min_delta < self.best
        return value - self.min_delta > self.best

    def monitored(self, logs: Mapping[str, object]) -> float:
        """Return the metric of an epoch, or raise if it has none of this name."""
        value = logs.get(self.monitor, logs.get(present_label(self.monitor)))
        if isinstance(value, (int, float)):
            return float(value)
        there = ", ".join(name for name, known in logs.items() if isinstance(known, (int, float)))
        raise SpecError(
            "the schedule needs a metric that this epoch does not have",
            where="Plateau.monitor",
            got=repr(self.monitor),
            hint=f"This epoch has: {there or 'none'}. Names with val_ need validation data.",
        )

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> Self:
        """Return the schedule of `keras.callbacks.ReduceLROnPlateau` with these arguments."""
        delta = abs(min_delta)
        return cls(learning_rate, monitor, factor, patience, mode, delta, cooldown, min_lr)
