"""Averages of the weights over the updates of a training."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.composed import AbstractFollower
from dnnbridge.optimizers.means import toward
from dnnbridge.optimizers.weight_decay import mindspore_decay
from dnnbridge.schedules import ScheduleField, ScheduleLike
from dnnbridge.specs.fields import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    default,
)
from dnnbridge.specs.spec import spec


@spec
class ExponentialMovingAverage(AbstractFollower):
    """a = d a + (1 - d) p after every update of another optimizer

    a starts as the weights after the first update, as in Keras (`use_ema`). `Run.averages`
    returns a.

    Args:
        optimizer: what moves p.
        decay: d, Keras' `ema_momentum`.
        start_step: a equals p up to and including this update, counted from 0.
        overwrite_every: number of updates after which p is set to a, Keras'
            `ema_overwrite_frequency`.

    Example:
        >>> from dnnbridge import SGD
        >>> ExponentialMovingAverage(SGD(0.1), decay=0.999).average
        'average'
    """

    decay: Fraction = 0.99
    start_step: NonNegativeInt = 0
    overwrite_every: PositiveInt | None = None

    @property
    def average(self) -> str:
        return "average"

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"average": Slot(shape), "average_started": Slot(())}

    def scalars(self, step: int) -> dict[str, float]:
        own = {"average_share": 1.0 if step <= self.start_step else 1.0 - self.decay}
        if self.overwrite_every:
            own["overwrite"] = float((step + 1) % self.overwrite_every == 0)
        return own

    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        started = slots["average_started"] > 0.0
        share = ops.where(started, scalars["average_share"], 1.0)
        average = _average(slots["average"], after, share)
        if self.overwrite_every:
            after = ops.where(scalars["overwrite"] > 0.0, average, after)
        return after, {
            "average": average,
            "average_started": ops.where(started, slots["average_started"], 1.0),
        }


@spec
class StochasticWeightAverage(AbstractFollower):
    """The mean of the weights after the updates from `start_step` on (Izmailov et al., 2018)

    The optimizer moves the weights as usual; `Run.averages` returns the mean. The running
    statistics of a BatchNormalization belong to the weights, not to the mean.

    Args:
        optimizer: what moves p; in the paper its rate is constant or cyclic.
        start_step: the first update that counts, numbered from 0; before it the mean is p.
        every: one update in `every` counts.

    Example:
        >>> from dnnbridge import SGD
        >>> swa = StochasticWeightAverage(SGD(0.1), start_step=100, every=10)
        >>> [swa.scalars(step) for step in (99, 105, 110)]  # doctest: +NORMALIZE_WHITESPACE
        [{'before': 1.0, 'counts': 0.0}, {'before': 0.0, 'counts': 0.0},
         {'before': 0.0, 'counts': 1.0}]
    """

    start_step: NonNegativeInt
    every: PositiveInt = 1

    @property
    def average(self) -> str:
        return "average"

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"average": Slot(shape), "average_count": Slot(())}

    def scalars(self, step: int) -> dict[str, float]:
        count, rest = divmod(step - self.start_step, self.every)
        return {"before": float(count < 0), "counts": float(count >= 0 and not rest)}

    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        counted = slots["average_count"] + scalars["counts"]
        share = ops.where(
            scalars["before"] > 0.0, 1.0, scalars["counts"] / ops.maximum(counted, 1.0)
        )
        average = _average(slots["average"], after, share)
        return after, {"average": average, "average_count": counted}


@spec
class ASGD(AbstractOptimizer):
    """p = (1 - λ η) p - η g, and the mean of p from step t₀ on (Polyak & Juditsky, 1992)

    In the first step η is the learning rate. Later η = lr / (1 + λ lr t)^α, with the rate lr and
    the number t of the step before. Until t₀ the mean is p. `Run.averages` returns the mean.

    Args:
        learning_rate: a number or a schedule of the step.
        decay: λ, `lambd` in MindSpore.
        power: α, `alpha` in MindSpore.
        averaging_start: t₀.

    Example:
        >>> ASGD(0.1).average
        'average'
    """

    learning_rate: ScheduleField = default(0.01)
    decay: NonNegativeFloat = 1e-4
    power: NonNegativeFloat = 0.75
    averaging_start: NonNegativeFloat = 1e6

    @property
    def average(self) -> str:
        return "average"

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"average": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        rate = self.learning_rate(max(step - 1, 0))
        eta = rate * (1.0 + self.decay * rate * step) ** -self.power
        share = 1.0 / max(1.0, step - self.averaging_start)
        return {"eta": eta, "decayed": self.decay * eta, "average_share": share}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        p = p - (scalars["decayed"] * p + scalars["eta"] * g)
        return p, {"average": _average(slots["average"], p, scalars["average_share"])}

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.1,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: ScheduleLike = 0.0,
    ) -> Self:
        """Return `mindspore.nn.ASGD` with these arguments; the experimental one has rate 0.01."""
        return cls(learning_rate, lambd, alpha, t0, weight_decay=mindspore_decay(weight_decay))


def _average(average: Value, p: Value, share: Value) -> Value:
    """Move the average toward p by a share; a share of 1 gives exactly p."""
    return ops.where(share < 1.0, toward(average, p, share), p)
