"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Self

from dnnbridge.errors import SpecError
from dnnbridge.fields import Bool, Float, Fraction
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.schedules import ScheduleLike, as_schedule
from dnnbridge.specification import spec


@spec
class SGD(AbstractOptimizer):
    """Gradient descent, with momentum (Polyak, 1964) and its look-ahead (Nesterov, 1983)

    v = μ v + (1 - dampening) g, then p -= lr v; with `nesterov`, p -= lr (g + μ v).

    Args:
        learning_rate: a number or a schedule of the step.
        momentum: μ.
        nesterov: look ahead; needs momentum and no dampening.
        dampening: share of the gradient kept out of v; needs momentum. The first step is not
            dampened (v = g), as in PyTorch and MindSpore.
        rate_in_velocity: v = μ v + lr g and p -= v, as Keras does it. The two forms differ once
            the rate changes: here an old gradient keeps the rate it came with.

    Example:
        >>> SGD(0.1, momentum=0.9, nesterov=True).scalars(step=0)
        {'learning_rate': 0.1, 'gain': 1.0}
    """

    learning_rate: ScheduleLike = 0.01
    momentum: Fraction = 0.0
    nesterov: Bool = False
    dampening: Float = 0.0
    rate_in_velocity: Bool = False

    def __post_init__(self) -> None:
        if self.momentum == 0.0 and (self.nesterov or self.dampening or self.rate_in_velocity):
            raise SpecError(
                "nesterov, dampening and rate_in_velocity are about momentum, which is 0",
                hint="Set momentum=0.9, say, or leave them out.",
            )
        if self.nesterov and self.dampening:
            raise SpecError("nesterov excludes dampening", hint="Leave one of them out.")

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"velocity": Slot(shape)} if self.momentum else {}

    def scalars(self, step: int) -> dict[str, float]:
        rate = as_schedule(self.learning_rate)(step)
        return {"learning_rate": rate, "gain": 1.0 if step == 0 else 1.0 - self.dampening}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        lr = scalars["learning_rate"]
        if not self.momentum:
            return p - lr * g, {}
        u = lr * g if self.rate_in_velocity else g
        v = self.momentum * slots["velocity"] + (scalars["gain"] * u if self.dampening else u)
        d = u + self.momentum * v if self.nesterov else v
        return p - (d if self.rate_in_velocity else lr * d), {"velocity": v}

    @classmethod
    def keras(
        cls, learning_rate: ScheduleLike = 0.01, momentum: float = 0.0, nesterov: bool = False
    ) -> Self:
        """Return `keras.optimizers.SGD` with these arguments."""
        if momentum == 0.0:
            return cls(learning_rate)  # Keras ignores nesterov without momentum.
        return cls(learning_rate, momentum, nesterov, rate_in_velocity=True)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.1,
        momentum: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
    ) -> Self:
        """Return `mindspore.nn.SGD` with these arguments."""
        if momentum == 0.0 and not nesterov:
            return cls(learning_rate)  # MindSpore ignores dampening without momentum.
        return cls(learning_rate, momentum, nesterov, dampening)
