"""Adamax, Nadam and Lion: optimizers that keep running means of gradients."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Self

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.means import toward
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike, mindspore_decay
from dnnbridge.schedules import ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Fraction, NonNegativeFloat, default
from dnnbridge.specs.spec import spec


@spec
class Adamax(AbstractOptimizer):
    """m = β₁ m + (1 - β₁) g, u = max(β₂ u, |g|), p -= lr / (1 - β₁ᵗ) · m / (u + ε)

    Adam with the infinity norm (Kingma & Ba, 2015, section 7.1).

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: β₁, decay of the mean of gradients.
        beta_2: β₂, decay of the largest gradient.
        epsilon: ε: 1e-7 in Keras, 1e-8 in MindSpore.

    Example:
        >>> Adamax(0.1).scalars(step=0)
        {'alpha': 1.0000000000000002}
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeFloat = 1e-7

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"m": Slot(shape), "u": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        return {"alpha": self.rate(step) / (1.0 - self.beta_1 ** (step + 1))}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        m = toward(slots["m"], g, 1.0 - self.beta_1)
        u = ops.maximum(slots["u"] - (1.0 - self.beta_2) * slots["u"], ops.abs(g))
        return p - scalars["alpha"] * m / (u + self.epsilon), {"m": m, "u": u}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Adamax` with these arguments."""
        return cls(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.AdaMax` with these arguments."""
        decay = mindspore_decay(weight_decay)
        return scaled(cls(learning_rate, beta1, beta2, eps, weight_decay=decay), loss_scale)


@spec
class Nadam(AbstractOptimizer):
    """Adam with Nesterov momentum that warms up (Dozat, 2016)

    μₜ = β₁ (1 - ½ 0.96^(ψt)), Pₜ = Π μ, m and v as in `Adam`,
    p -= (lr μₜ₊₁ / (1 - Pₜ₊₁) · m + lr (1 - μₜ) / (1 - Pₜ) · g) / (√(v / (1 - β₂ᵗ)) + ε)

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        momentum_decay: ψ: 1 in Keras, 0.004 in MindSpore's experimental NAdam.

    Example:
        >>> round(Nadam(1.0).scalars(step=0)["of_g"], 6)
        1.0
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeFloat = 1e-7
    momentum_decay: NonNegativeFloat = 1.0

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"m": Slot(shape), "v": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        t, rate = step + 1, self.rate(step)
        products = _products(self.beta_1, self.momentum_decay, 1 << (t + 1).bit_length())
        now, following = products[t], products[t + 1]
        mu = [_momentum(self.beta_1, self.momentum_decay, s) for s in (t, t + 1)]
        return {
            "of_m": rate * mu[1] / (1.0 - following),
            "of_g": rate * (1.0 - mu[0]) / (1.0 - now),
            "of_root": 1.0 / math.sqrt(1.0 - self.beta_2**t),
        }

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        b1, b2 = self.beta_1, self.beta_2
        m = toward(slots["m"], g, 1.0 - b1)
        v = toward(slots["v"], ops.square(g), 1.0 - b2)
        root = ops.sqrt(v) * scalars["of_root"] + self.epsilon
        return p - (scalars["of_m"] * m + scalars["of_g"] * g) / root, {"m": m, "v": v}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Nadam` with these arguments."""
        return cls(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay)


@spec
class Lion(AbstractOptimizer):
    """p -= lr · sign(β₁ m + (1 - β₁) g), m = β₂ m + (1 - β₂) g (Chen et al., 2023)

    Args:
        learning_rate: a number or a schedule of the step; for example a tenth of Adam's.
        beta_1: β₁, used for the step.
        beta_2: β₂, decay of the running mean m.

    Example:
        >>> Lion().beta_2
        0.99
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.99

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"m": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        return {"learning_rate": self.rate(step)}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        b1, b2, m = self.beta_1, self.beta_2, slots["m"]
        step = scalars["learning_rate"] * ops.sign(b1 * m + (1.0 - b1) * g)
        return p - step, {"m": toward(m, g, 1.0 - b2)}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Lion` with these arguments."""
        return cls(learning_rate, beta_1, beta_2, weight_decay=weight_decay)


def _momentum(beta: float, decay: float, t: int) -> float:
    return float(beta * (1.0 - 0.5 * 0.96 ** (decay * t)))


@lru_cache(maxsize=64)
def _products(beta: float, decay: float, count: int) -> tuple[float, ...]:
    """Return the products of the momenta up to each step below a count."""
    products = [1.0]
    for t in range(1, count):
        products.append(products[-1] * _momentum(beta, decay, t))
    return tuple(products)
