"""Optimizers that scale the step of each array by the norm of its weights."""

from __future__ import annotations

import math
from typing import Self

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.means import toward
from dnnbridge.optimizers.weight_decay import WeightDecayLike
from dnnbridge.schedules import ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, PositiveFloat, default
from dnnbridge.specs.spec import spec


@spec
class Lamb(AbstractOptimizer):
    """u = m̂ / (√v̂ + ε) + λ p, p -= lr · ‖p‖ / ‖u‖ · u (You et al., 2020)

    m and v as in `Adam`, m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ), φ(x) = x. If a norm is 0, the
    ratio of the norms is 1.

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε: 1e-7 in Keras, 1e-6 in MindSpore and the paper.
        decay_in_ratio: λ, the paper's weight decay. Keras' Lamb decays outside of the ratio.

    Example:
        >>> Lamb.mindspore(0.01).epsilon
        1e-06
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeFloat = 1e-7
    decay_in_ratio: NonNegativeFloat = 0.0

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"m": Slot(shape), "v": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        t = step + 1
        return {
            "learning_rate": self.rate(step),
            "of_m": 1.0 / (1.0 - self.beta_1**t),
            "of_root": 1.0 / math.sqrt(1.0 - self.beta_2**t),
        }

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        m = toward(slots["m"], g, 1.0 - self.beta_1)
        v = toward(slots["v"], ops.square(g), 1.0 - self.beta_2)
        u = scalars["of_m"] * m / (ops.sqrt(v) * scalars["of_root"] + self.epsilon)
        if self.decay_in_ratio:
            u = u + self.decay_in_ratio * p
        ratio = _ratio(norm(p), norm(u), norm(u))
        return p - scalars["learning_rate"] * ratio * u, {"m": m, "v": v}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Lamb` with these arguments."""
        return cls(learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> Self:
        """Return what `mindspore.nn.Lamb` documents; MindSpore has no CPU kernel for it."""
        return cls(learning_rate, beta1, beta2, eps, weight_decay)


@spec
class LARS(AbstractOptimizer):
    """u = η ‖p‖ / (‖g‖ + λ ‖p‖ + ε) · (g + λ p), then `SGD` with u in place of g (You et al., 2017)

    If ‖p‖ or ‖g‖ is 0, the factor is 1, as in TensorFlow's and NVIDIA's implementations.

    Args:
        learning_rate: a number or a schedule of the step.
        momentum: μ.
        trust_coefficient: η.
        decay_in_ratio: λ, the paper's weight decay.
        epsilon: ε; the paper has none, MindSpore 1e-5.
        nesterov: use Nesterov momentum; needs `momentum` above 0.
        rate_in_velocity: True: v = μ v + lr u and p -= v, as in the paper. False: v = μ v + u and
            p -= lr v, as in MindSpore's LARS, which wraps another optimizer.
        clip: replace the factor by min(factor / lr, 1) (LARC), as MindSpore's `use_clip`.

    Example:
        >>> LARS.mindspore(0.1).rate_in_velocity
        False
    """

    learning_rate: ScheduleField = default(0.1)
    momentum: Fraction = 0.9
    trust_coefficient: PositiveFloat = 0.001
    decay_in_ratio: NonNegativeFloat = 0.0
    epsilon: NonNegativeFloat = 0.0
    nesterov: Bool = False
    rate_in_velocity: Bool = True
    clip: Bool = False

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0.0:
            raise SpecError("nesterov needs momentum", hint="For example, set momentum=0.9.")

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"velocity": Slot(shape)} if self.momentum else {}

    def scalars(self, step: int) -> dict[str, float]:
        rate = self.rate(step)
        of_factor = {"of_factor": 1.0 / max(rate, 1e-30)} if self.clip else {}
        return {"learning_rate": rate} | of_factor

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        lr, of_p = scalars["learning_rate"], norm(p)
        of_g, decay = norm(g), self.decay_in_ratio
        factor = _ratio(self.trust_coefficient * of_p, of_g, of_g + decay * of_p + self.epsilon)
        if self.clip:
            factor = ops.minimum(factor * scalars["of_factor"], 1.0)
        u = factor * (g + decay * p if decay else g)
        if self.rate_in_velocity:
            u = lr * u
        if not self.momentum:
            return p - (u if self.rate_in_velocity else lr * u), {}
        v = self.momentum * slots["velocity"] + u
        d = u + self.momentum * v if self.nesterov else v
        return p - (d if self.rate_in_velocity else lr * d), {"velocity": v}

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        coefficient: float = 0.001,
        use_clip: bool = False,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> Self:
        """Return what `mindspore.nn.LARS` documents, around `nn.SGD` with the other arguments.

        MindSpore has no CPU kernel for it. By default it excludes arrays with "bias" or
        "LayerNorm" in their names; here the factor applies to every array.
        """
        form = {"nesterov": nesterov, "rate_in_velocity": False, "clip": use_clip}
        return cls(learning_rate, momentum, coefficient, weight_decay, epsilon, **form)


def norm(x: Value) -> Value:
    """Return the L2 norm of all elements."""
    return ops.sqrt(ops.reduce_sum(ops.square(x), tuple(range(x.rank))))


def _ratio(of_p: Value, of_step: Value, divisor: Value) -> Value:
    """Return of_p / divisor, or 1 if `of_p` or `of_step` is 0."""
    moving = of_step > 0.0
    quotient = of_p / ops.where(moving, divisor, 1.0)
    return ops.where(of_p > 0.0, ops.where(moving, quotient, 1.0), 1.0)
