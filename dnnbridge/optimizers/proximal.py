"""Optimizers that can set weights to exactly 0."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Operand, Value
from dnnbridge.initializers import Constant
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike, mindspore_decay
from dnnbridge.schedules import ScheduleField, ScheduleLike
from dnnbridge.specs.fields import NonNegativeFloat, default
from dnnbridge.specs.spec import spec


@spec
class Ftrl(AbstractOptimizer):
    """Follow the regularized leader, proximal (McMahan et al., 2013)

    n' = n + g², z += g + 2 λₛ p - (n'^(-k) - n^(-k)) / lr · p,
    p = (sign(z) λ₁ - z) / ((n'^(-k) + β) / lr + 2 λ₂) where |z| > λ₁, else 0.

    Args:
        learning_rate: a number or a schedule of the step, always above 0.
        learning_rate_power: k, at most 0. The powers are exact for -0.5, -1 and 0. For other values
            they are exp(-k log n), as accurate as the backend's exp and log.
        initial_accumulator_value: initial value of n. With 0, a gradient of 0 gives NaN unless β or
            λ₂ is above 0.
        l1_regularization_strength: λ₁.
        l2_regularization_strength: λ₂.
        l2_shrinkage_regularization_strength: λₛ.
        beta: β.

    Example:
        >>> Ftrl(0.1, l1_regularization_strength=0.01).slots((2,))["n"].initializer.value
        0.1
    """

    learning_rate: ScheduleField = default(0.001)
    learning_rate_power: Annotated[float, Field(strict=True, le=0, allow_inf_nan=False)] = -0.5
    initial_accumulator_value: NonNegativeFloat = 0.1
    l1_regularization_strength: NonNegativeFloat = 0.0
    l2_regularization_strength: NonNegativeFloat = 0.0
    l2_shrinkage_regularization_strength: NonNegativeFloat = 0.0
    beta: NonNegativeFloat = 0.0

    def __post_init__(self) -> None:
        k = self.learning_rate_power
        if self.initial_accumulator_value == 0.0 and k not in (-0.5, -1.0, 0.0):
            raise SpecError(
                "initial_accumulator_value 0 needs learning_rate_power -0.5, -1 or 0",
                got=str(k),
                hint="For example, set initial_accumulator_value=0.1.",
            )

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"n": Slot(shape, Constant(self.initial_accumulator_value)), "z": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        rate = self.rate(step)
        if rate <= 0.0:
            raise SpecError(
                "the learning rate must be above 0 at every step: Ftrl divides by it",
                where=f"learning_rate, step {step}",
                got=str(rate),
            )
        return {
            "of_power": 1.0 / rate,
            "plus": self.beta / rate + 2.0 * self.l2_regularization_strength,
        }

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        square = ops.square(g)
        n = slots["n"] + square
        power, grown = self._power(slots["n"], n, square)
        shrunk = g + 2.0 * self.l2_shrinkage_regularization_strength * p
        z = slots["z"] + (shrunk - grown * scalars["of_power"] * p)
        l1 = self.l1_regularization_strength
        over = z - ops.clip(z, -l1, l1) if l1 else z
        return -over / (power * scalars["of_power"] + scalars["plus"]), {"n": n, "z": z}

    def _power(self, old: Value, n: Value, square: Value) -> tuple[Operand, Operand]:
        """Return n^(-k) and n^(-k) - old^(-k)."""
        k = self.learning_rate_power
        if k == -0.5:
            root = ops.sqrt(n)
            total = root + ops.sqrt(old)
            # √n - √old without cancellation; where both are 0, the square is 0 too.
            return root, square / ops.where(total > 0.0, total, 1.0)
        if k == -1.0:
            return n, square
        if k == 0.0:
            return 1.0, 0.0
        risen = ops.expm1(-k * _log1p(square / old))
        return ops.exp(-k * ops.log(n)), ops.exp(-k * ops.log(old)) * risen

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Ftrl` with these arguments."""
        strengths = l1_regularization_strength, l2_regularization_strength
        shrinkage = l2_shrinkage_regularization_strength
        start = initial_accumulator_value
        given = learning_rate, learning_rate_power, start, *strengths, shrinkage, beta
        return cls(*given, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        initial_accum: float = 0.1,
        lr_power: float = -0.5,
        l1: float = 0.0,
        l2: float = 0.0,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return what `mindspore.nn.FTRL` documents, with these arguments.

        Its CPU kernel is wrong for l1 above 0 where z is negative.
        """
        decay = mindspore_decay(weight_decay, exempt=())  # of all weights
        made = cls(learning_rate, lr_power, initial_accum, l1, l2, weight_decay=decay)
        return scaled(made, loss_scale)


@spec
class ProximalAdagrad(AbstractOptimizer):
    """s += g², r = lr / √s, q = p - r g, p = sign(q) max(|q| - λ₁ r, 0) / (1 + λ₂ r)

    Adagrad with the proximal step of FOBOS (Duchi & Singer, 2009), at the rate r of each element.
    `mindspore.nn.ProximalAdagrad` documents λ₁ lr and λ₂ lr, but computes this equation.

    Args:
        learning_rate: a number or a schedule of the step.
        initial_accumulator_value: initial value of s, above 0 if a gradient may be 0.
        l1: λ₁.
        l2: λ₂.

    Example:
        >>> ProximalAdagrad(0.1, l1=0.01).initial_accumulator_value
        0.1
    """

    learning_rate: ScheduleField = default(0.001)
    initial_accumulator_value: NonNegativeFloat = 0.1
    l1: NonNegativeFloat = 0.0
    l2: NonNegativeFloat = 0.0

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"s": Slot(shape, Constant(self.initial_accumulator_value))}

    def scalars(self, step: int) -> dict[str, float]:
        return {"learning_rate": self.rate(step)}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        s = slots["s"] + ops.square(g)
        rate = scalars["learning_rate"] / ops.sqrt(s)
        move = rate * g
        q, most = p - move, self.l1 * rate
        # Subtract everything from p in one sum, so that p is rounded once. Do not divide p by
        # 1 + λ₂ r: float32 keeps little of λ₂ r in that sum where r is small.
        if self.l1:
            move = move + most * ops.sign(q)
        if self.l2:
            share = self.l2 * rate
            move = move + share / (share + 1.0) * (p - move)
        return ops.where(most > ops.abs(q), 0.0, p - move), {"s": s}

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        accum: float = 0.1,
        l1: float = 0.0,
        l2: float = 0.0,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.ProximalAdagrad` with these arguments."""
        decay = mindspore_decay(weight_decay)
        return scaled(cls(learning_rate, accum, l1, l2, weight_decay=decay), loss_scale)


def _log1p(x: Value) -> Value:
    """Return log(1 + x) for x ≥ 0; near 0 by the series of artanh, which is exact there."""
    s = x / (x + 2.0)
    square, series = ops.square(s), 1.0 / 17.0 + 0.0 * s
    for odd in (15, 13, 11, 9, 7, 5, 3, 1):
        series = series * square + 1.0 / odd
    return ops.where(x < 1.0, 2.0 * s * series, ops.log(x + 1.0))
