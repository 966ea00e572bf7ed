"""Adafactor."""

from __future__ import annotations

import math
from typing import Self

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.means import toward
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike
from dnnbridge.schedules import PolynomialDecay, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import (
    Bool,
    Fraction,
    NonNegativeFloat,
    NonPositiveFloat,
    PositiveFloat,
    default,
)
from dnnbridge.specs.spec import spec


@spec
class Adafactor(AbstractOptimizer):
    """Second moments by rows and columns (Shazeer & Stern, 2018)

    s = g² + ε₁. Over the last two axes r and c are running means of the means of s over columns
    and over rows, with decay 1 - t^β, and v = r cᵀ / mean(r). An array of one axis keeps v itself.
    u = g / √v, p -= ρ · max(ε₂, rms(p)) · u / max(1, rms(u) / d) with ρ = min(lr, 1 / √t).

    Args:
        learning_rate: a number or a schedule of the step.
        beta_2_decay: β, at most 0; 0 keeps no mean.
        epsilon_1: ε₁.
        epsilon_2: ε₂.
        clip_threshold: d.
        relative_step: False: ρ = lr. Keras accepts the argument, but always uses the minimum.
        beta_1: decay of a running mean of the steps; 0 for no mean. MindSpore has 0.9, Keras none.
        scale_parameter: False leaves out max(ε₂, rms(p)).

    Example:
        >>> Adafactor().slots((5, 3, 4))["r"].shape
        (5, 3)
    """

    learning_rate: ScheduleField = default(0.001)
    beta_2_decay: NonPositiveFloat = -0.8
    epsilon_1: NonNegativeFloat = 1e-30
    epsilon_2: NonNegativeFloat = 1e-3
    clip_threshold: PositiveFloat = 1.0
    relative_step: Bool = True
    beta_1: Fraction = 0.0
    scale_parameter: Bool = True

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        if len(shape) < 2:
            slots = {"v": Slot(shape)}
        else:
            slots = {"r": Slot(shape[:-1]), "c": Slot((*shape[:-2], shape[-1]))}
        return slots | ({"m": Slot(shape)} if self.beta_1 else {})

    def scalars(self, step: int) -> dict[str, float]:
        t, rate = step + 1, self.rate(step)
        rate = min(rate, 1.0 / math.sqrt(t)) if self.relative_step else rate
        return {"learning_rate": rate, "share": t**self.beta_2_decay}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        u, made = self._scaled(g, slots, scalars["share"])
        u = u / ops.maximum(_rms(u) / self.clip_threshold, 1.0)
        rate = scalars["learning_rate"]
        if self.scale_parameter:
            rate = rate * ops.maximum(_rms(p), self.epsilon_2)
        move = rate * u
        if self.beta_1:
            move = made["m"] = toward(slots["m"], move, 1.0 - self.beta_1)
        return p - move, made

    def _scaled(self, g: Value, slots: Slots, share: Value) -> tuple[Value, dict[str, Value]]:
        """Return g / √v and the new moments."""
        s = ops.square(g) + self.epsilon_1
        if "v" in slots:
            v = toward(slots["v"], s, share)
            return g / ops.sqrt(v), {"v": v}
        r = toward(slots["r"], ops.reduce_mean(s, (g.rank - 1,)), share)
        c = toward(slots["c"], ops.reduce_mean(s, (g.rank - 2,)), share)
        # Take the roots separately: the product of a small row and a small column underflows.
        rows = ops.sqrt(r / ops.reduce_mean(r, (r.rank - 1,), keepdims=True))
        rows = ops.reshape(rows, (*g.shape[:-1], 1))
        columns = ops.reshape(ops.sqrt(c), (*g.shape[:-2], 1, g.shape[-1]))
        return g / rows / columns, {"r": r, "c": c}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Adafactor` with these arguments."""
        given = learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold
        return cls(*given, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike | None = None,
        eps: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        decay_rate: float = 0.8,
        beta1: float = 0.9,
        scale_parameter: bool = True,
        warmup_init: bool = False,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.AdaFactor` with these arguments.

        Without a learning rate the relative step is used: min(0.01, 1 / √t), or with
        `warmup_init` min(t · 1e-6, 1 / √t).
        """
        relative = learning_rate is None
        if learning_rate is None:
            learning_rate = PolynomialDecay(1e-6, 9999, 0.01) if warmup_init else 0.01
        made = cls(
            learning_rate, -decay_rate, *eps, clip_threshold, relative, beta1, scale_parameter
        )
        return scaled(made, loss_scale)


def _rms(x: Value) -> Value:
    return ops.sqrt(ops.reduce_mean(ops.square(x), tuple(range(x.rank))))
