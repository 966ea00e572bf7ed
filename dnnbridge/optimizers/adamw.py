"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import Any, Self

from dnnbridge.graph import Value
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.weight_decay import (
    MINDSPORE_EXEMPT,
    DecoupledWeightDecay,
    WeightDecayField,
    WeightDecayLike,
)
from dnnbridge.schedules import FractionLike, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, default
from dnnbridge.specs.spec import spec


@spec
class AdamW(AbstractOptimizer):
    """`Adam` after p ← p - lr · weight_decay · p (Loshchilov & Hutter, 2019)

    Args:
        learning_rate: a number or a schedule of the step. The other arguments are keyword-only.
        weight_decay: 0.004 of all weights by default, as in Keras.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `Adam`.
        epsilon_hat: as in `Adam`; True as Keras, False as PyTorch and MindSpore's experimental one.
        amsgrad: as in `Adam`.
        nesterov: as in `Adam`.
        bias_correction: False leaves out the divisions by 1 - βᵗ, as BERT does.

    Example:
        >>> AdamW(0.1).host_scalars(step=0)["weight_decay:factor"]
        0.0004
    """

    learning_rate: ScheduleField = default(0.001)
    weight_decay: WeightDecayField = field(default=default(0.004), kw_only=True)
    beta_1: FractionLike = field(default=0.9, kw_only=True)
    beta_2: Fraction = field(default=0.999, kw_only=True)
    epsilon: NonNegativeFloat = field(default=1e-7, kw_only=True)
    epsilon_hat: Bool = field(default=True, kw_only=True)
    amsgrad: Bool = field(default=False, kw_only=True)
    nesterov: Bool = field(default=False, kw_only=True)
    bias_correction: Bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        _ = self.adam  # validates the arguments that go to Adam

    @cached_property
    def adam(self) -> Adam:
        """The same optimizer without weight decay."""
        more: dict[str, Any] = {"amsgrad": self.amsgrad, "nesterov": self.nesterov}
        given = self.learning_rate, self.beta_1, self.beta_2, self.epsilon, self.epsilon_hat
        return Adam(*given, **more)

    @property
    def is_plain(self) -> bool:
        """Whether the update after the weight decay is that of a plain `Adam`."""
        return self.adam.is_plain

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return self.adam.slots(shape)

    def scalars(self, step: int) -> dict[str, float]:
        adam = self.adam
        if self.bias_correction:
            return adam.scalars(step)
        return {"alpha": self.rate(step), "epsilon": self.epsilon} | adam.betas(step)

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        return self.adam.update(p, g, slots, scalars)

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        weight_decay: WeightDecayLike = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> Self:
        """Return `keras.optimizers.AdamW` with these arguments."""
        more: dict[str, Any] = {"weight_decay": weight_decay, "amsgrad": amsgrad}
        return cls(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **more)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: ScheduleLike = 0.0,
    ) -> Self:
        """Return `mindspore.nn.AdamWeightDecay` with these arguments.

        It has no bias correction. Weights with beta or gamma in their names do not decay.
        """
        decay = DecoupledWeightDecay(weight_decay, MINDSPORE_EXEMPT) if weight_decay else None
        more: dict[str, Any] = {"bias_correction": False, "weight_decay": decay}
        return cls(learning_rate, beta_1=beta1, beta_2=beta2, epsilon=eps, **more)
