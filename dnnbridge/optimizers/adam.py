"""Adam."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Self

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import (
    AbstractOptimizer,
    Scalars,
    Slot,
    Slots,
    scheduled,
)
from dnnbridge.optimizers.means import nearest_float32, toward
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike, mindspore_decay
from dnnbridge.schedules import (
    AbstractSchedule,
    FractionLike,
    ScheduleField,
    ScheduleLike,
    fraction_at,
)
from dnnbridge.schedules.listening import listens
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, default
from dnnbridge.specs.spec import spec

BLOCK = 64
"""Number of steps in each cached product of betas."""


@spec
class Adam(AbstractOptimizer):
    """Adaptive moments (Kingma & Ba, 2015)

    m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², p -= α m / (√v + ε)
    with α = lr √(1 - β₂ᵗ) / (1 - β₁ᵗ), t = 1 for the first step.

    β₁ and β₂ are rounded to float32, in α too: 0.999 becomes 0.99900001287. Kernels that compute
    1 - β₂ in float32 then have the same sums.

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: β₁, decay of the mean of gradients. If a schedule changes it, β₁ᵗ is the product
            of all values so far. The weights of the gradients in m / (1 - Π β₁) then sum to 1, as
            follows from the recursion of m. (PyTorch's OneCycleLR uses the t-th power of the
            present value instead.)
        beta_2: β₂, decay of the mean of squares.
        epsilon: ε̂ of the form above, the one both frameworks compute ("epsilon hat" in the paper).
        epsilon_hat: False puts epsilon where the paper's algorithm 1 has it, after the bias
            correction: √v̂ + ε, which is ε √(1 - β₂ᵗ) in the form above.
        amsgrad: divide by the root of the largest v so far (Reddi et al., 2018).
        nesterov: use β₁ m + (1 - β₁) g instead of m, as `mindspore.nn.Adam(use_nesterov=True)`;
            `Nadam` has a different equation.

    Example:
        >>> {name: round(x, 6) for name, x in Adam(0.1).scalars(step=0).items()}
        {'alpha': 0.031623, 'epsilon': 0.0}
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: FractionLike = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeFloat = 1e-7
    epsilon_hat: Bool = True
    amsgrad: Bool = False
    nesterov: Bool = False

    def __post_init__(self) -> None:
        if isinstance(self.beta_1, AbstractSchedule) and listens(self.beta_1):
            raise SpecError(
                "the bias correction needs the values of all steps so far",
                where="beta_1",
                got=f"{type(self.beta_1).__name__}, which changes with a metric",
                hint="Use such a schedule for the learning rate only.",
            )

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        largest = {"largest": Slot(shape)} if self.amsgrad else {}
        return {"m": Slot(shape), "v": Slot(shape)} | largest

    def scalars(self, step: int) -> dict[str, float]:
        t = step + 1
        correction = math.sqrt(1.0 - nearest_float32(self.beta_2) ** t)
        alpha = self.rate(step) * correction / (1.0 - _power(self.beta_1, t))
        epsilon = self.epsilon * (1.0 if self.epsilon_hat else correction)
        return {"alpha": alpha, "epsilon": epsilon} | self.betas(step)

    def betas(self, step: int) -> dict[str, float]:
        """Return 1 - β₁ of a step if a schedule changes β₁."""
        found = scheduled(step, beta_1=self.beta_1)
        return {f"one_minus_{name}": 1.0 - nearest_float32(b) for name, b in found.items()}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        b1 = self.beta_1
        if isinstance(b1, AbstractSchedule):
            rest: Value | float = scalars["one_minus_beta_1"]
        else:
            rest = 1.0 - nearest_float32(b1)
        m = toward(slots["m"], g, rest)
        v = toward(slots["v"], ops.square(g), 1.0 - nearest_float32(self.beta_2))
        made, square = {"m": m, "v": v}, v
        if self.amsgrad:
            square = made["largest"] = ops.maximum(slots["largest"], v)
        move = toward(m, g, rest) if self.nesterov else m
        return p - scalars["alpha"] * move / (ops.sqrt(square) + scalars["epsilon"]), made

    @property
    def is_plain(self) -> bool:
        """Whether β₁ is a number, and m and v make the step as in the paper."""
        changing = isinstance(self.beta_1, AbstractSchedule)
        return not (changing or self.amsgrad or self.nesterov)

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Adam` with these arguments."""
        more: dict[str, Any] = {"amsgrad": amsgrad, "weight_decay": weight_decay}
        return cls(learning_rate, beta_1, beta_2, epsilon, **more)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_nesterov: bool = False,
        use_amsgrad: bool = False,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.Adam` with these arguments."""
        more: dict[str, Any] = {"amsgrad": use_amsgrad, "nesterov": use_nesterov}
        more["weight_decay"] = mindspore_decay(weight_decay)
        return scaled(cls(learning_rate, beta1, beta2, eps, **more), loss_scale)


def _power(beta: float | AbstractSchedule, t: int) -> float:
    """Return βᵗ, or the product of the first t values of a schedule."""
    if not isinstance(beta, AbstractSchedule):
        return nearest_float32(beta) ** t
    product = 1.0
    for start in range(0, t, BLOCK):
        product *= _block(beta, start, min(start + BLOCK, t))
        if product < 1e-20:  # negligible beside 1
            return 0.0
    return product


@lru_cache(maxsize=4096)
def _block(beta: AbstractSchedule, start: int, stop: int) -> float:
    return math.prod(nearest_float32(fraction_at(beta, step)) for step in range(start, stop))
