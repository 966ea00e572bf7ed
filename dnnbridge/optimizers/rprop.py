"""Resilient backpropagation."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.initializers import Constant
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.weight_decay import mindspore_decay
from dnnbridge.schedules import ScheduleLike
from dnnbridge.specs.fields import OpenFraction, PositiveFloat
from dnnbridge.specs.spec import spec


@spec
class Rprop(AbstractOptimizer):
    """Steps by the sign of the gradient, one step size per element (Riedmiller & Braun, 1993)

    s grows by η₊ where g keeps its sign, and shrinks by η₋ where the sign changes. s stays within
    its bounds. Where the sign changed, p does not move, and the next step treats the old sign as 0
    (iRprop⁻, as in MindSpore and PyTorch). Elsewhere p -= s · sign(g).
    Use it with full batches: the gradient of few examples changes its sign by chance.

    Args:
        initial_step: initial value of s, called learning rate in MindSpore and PyTorch.
        eta_minus: η₋.
        eta_plus: η₊.
        min_step: lower bound of s.
        max_step: upper bound of s.

    Example:
        >>> Rprop.mindspore().initial_step
        0.1
    """

    initial_step: PositiveFloat = 0.01
    eta_minus: OpenFraction = 0.5
    eta_plus: Annotated[float, Field(strict=True, gt=1, allow_inf_nan=False)] = 1.2
    min_step: PositiveFloat = 1e-6
    max_step: PositiveFloat = 50.0

    def __post_init__(self) -> None:
        if self.min_step > self.max_step:
            raise SpecError("min_step is above max_step", got=f"{self.min_step}, {self.max_step}")

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"sign": Slot(shape), "s": Slot(shape, Constant(self.initial_step))}

    def scalars(self, step: int) -> dict[str, float]:
        return {}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        # Keep only the sign of the last gradient: a product of small gradients underflows.
        sign = ops.sign(g)
        turned = sign * slots["sign"]
        shrunk = ops.where(turned < 0.0, self.eta_minus, 1.0)
        factor = ops.where(turned > 0.0, self.eta_plus, shrunk)
        s = ops.clip(slots["s"] * factor, self.min_step, self.max_step)
        sign = ops.where(turned < 0.0, 0.0, sign)
        return p - s * sign, {"sign": sign, "s": s}

    @classmethod
    def mindspore(
        cls,
        learning_rate: float = 0.1,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        weight_decay: ScheduleLike = 0.0,
    ) -> Self:
        """Return `mindspore.nn.Rprop` with these arguments; the experimental one starts at 0.01."""
        return cls(learning_rate, *etas, *step_sizes, weight_decay=mindspore_decay(weight_decay))
