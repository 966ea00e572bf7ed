"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Self

from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import (
    AbstractOptimizer,
    Scalars,
    Slot,
    Slots,
    present,
    scheduled,
)
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike, mindspore_decay
from dnnbridge.schedules import FractionLike, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Bool, Float, default
from dnnbridge.specs.spec import spec


@spec
class SGD(AbstractOptimizer):
    """Gradient descent with momentum (Polyak, 1964) or Nesterov momentum (Nesterov, 1983)

    v = μ v + (1 - dampening) g, then p -= lr v; with `nesterov`, p -= lr (g + μ v).

    Args:
        learning_rate: a number or a schedule of the step.
        momentum: μ, a number or a schedule; with 0 there is no v.
        nesterov: use Nesterov momentum; needs momentum and no dampening.
        dampening: share of the gradient kept out of v; needs momentum. The first step is not
            dampened (v = g), as in PyTorch and MindSpore.
        rate_in_velocity: True: v = μ v + lr g and p -= v, as in Keras. The two forms differ once
            the rate changes: with True, an old gradient keeps the rate of its own step.

    Example:
        >>> SGD(0.1, momentum=0.9, nesterov=True).scalars(step=0)
        {'learning_rate': 0.1, 'gain': 1.0}
    """

    learning_rate: ScheduleField = default(0.01)
    momentum: FractionLike = 0.0
    nesterov: Bool = False
    dampening: Float = 0.0
    rate_in_velocity: Bool = False

    def __post_init__(self) -> None:
        if self.momentum == 0.0 and (self.nesterov or self.dampening or self.rate_in_velocity):
            raise SpecError(
                "nesterov, dampening and rate_in_velocity need momentum, which is 0",
                hint="Set momentum, for example to 0.9, or leave them out.",
            )
        if self.nesterov and self.dampening:
            raise SpecError(
                "nesterov and dampening cannot be combined", hint="Leave one of them out."
            )

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"velocity": Slot(shape)} if self.momentum else {}

    def scalars(self, step: int) -> dict[str, float]:
        rate = self.rate(step)
        made = {"learning_rate": rate, "gain": 1.0 if step == 0 else 1.0 - self.dampening}
        return made | scheduled(step, momentum=self.momentum)

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        lr = scalars["learning_rate"]
        if not self.momentum:
            return p - lr * g, {}
        mu = present(scalars, "momentum", self.momentum)
        u = lr * g if self.rate_in_velocity else g
        v = mu * slots["velocity"] + (scalars["gain"] * u if self.dampening else u)
        d = u + mu * v if self.nesterov else v
        return p - (d if self.rate_in_velocity else lr * d), {"velocity": v}

    @property
    def leaves_rows(self) -> bool:
        return not self.momentum

    @property
    def is_plain(self) -> bool:
        """Whether the update is v = μ v + g and p -= lr v, or p -= lr (g + μ v) for `nesterov`."""
        return not self.dampening and not self.rate_in_velocity

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.01,
        momentum: FractionLike = 0.0,
        nesterov: bool = False,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.SGD` with these arguments."""
        if momentum == 0.0:  # Keras ignores nesterov without momentum.
            return cls(learning_rate, weight_decay=weight_decay)
        inside = {"rate_in_velocity": True}
        return cls(learning_rate, momentum, nesterov, weight_decay=weight_decay, **inside)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.1,
        momentum: FractionLike = 0.0,
        dampening: float = 0.0,
        weight_decay: ScheduleLike = 0.0,
        nesterov: bool = False,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.SGD` with these arguments."""
        decay = mindspore_decay(weight_decay)
        if momentum == 0.0 and not nesterov:  # MindSpore ignores dampening without momentum.
            return scaled(cls(learning_rate, weight_decay=decay), loss_scale)
        made = cls(learning_rate, momentum, nesterov, dampening, weight_decay=decay)
        return scaled(made, loss_scale)
