"""Adagrad, RMSprop and Adadelta: they divide by sums or means of squared gradients."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.initializers import Constant
from dnnbridge.optimizers.base import (
    AbstractOptimizer,
    Scalars,
    Slot,
    Slots,
    present,
    scheduled,
)
from dnnbridge.optimizers.means import toward
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.weight_decay import WeightDecayLike, mindspore_decay
from dnnbridge.schedules import FractionLike, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, default
from dnnbridge.specs.spec import spec


@spec
class Adagrad(AbstractOptimizer):
    """s += g², p -= lr · g / √(s + ε) (Duchi et al., 2011)

    Args:
        learning_rate: a number or a schedule of the step.
        initial_accumulator_value: initial value of s.
        epsilon: ε. If ε and the initial s are both 0, a gradient of 0 gives NaN.
        epsilon_inside: False divides by √s + ε.

    Example:
        >>> Adagrad.mindspore().epsilon
        1e-08
    """

    learning_rate: ScheduleField = default(0.001)
    initial_accumulator_value: NonNegativeFloat = 0.1
    epsilon: NonNegativeFloat = 1e-7
    epsilon_inside: Bool = True

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"s": Slot(shape, Constant(self.initial_accumulator_value))}

    def scalars(self, step: int) -> dict[str, float]:
        return {"learning_rate": self.rate(step)}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        s = slots["s"] + ops.square(g)
        root = root_plus(s, self.epsilon, self.epsilon_inside)
        return p - scalars["learning_rate"] * g / root, {"s": s}

    @property
    def leaves_rows(self) -> bool:
        return self.initial_accumulator_value + self.epsilon > 0.0  # else 0 / 0

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Adagrad` with these arguments."""
        return cls(learning_rate, initial_accumulator_value, epsilon, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        accum: float = 0.1,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.Adagrad` with these arguments.

        MindSpore documents no ε. Its CPU kernel divides by √(s + 1e-8), measured on 2.10.
        """
        made = cls(learning_rate, accum, 1e-8, weight_decay=mindspore_decay(weight_decay))
        return scaled(made, loss_scale)


@spec
class RMSprop(AbstractOptimizer):
    """s = ρ s + (1 - ρ) g², m = μ m + lr · g / √(s + ε), p -= m (Tieleman & Hinton, 2012)

    Args:
        learning_rate: a number or a schedule of the step.
        rho: ρ, decay of the mean square.
        momentum: μ, a number or a schedule; with 0 there is no m.
        epsilon: ε.
        centered: subtract the square of the mean gradient from s under the root (Graves, 2013).
        epsilon_inside: False divides by the root plus ε.
        initial_mean_square: initial value of s: 0 in Keras, 1 in MindSpore.

    Example:
        >>> RMSprop.mindspore().initial_mean_square
        1.0
    """

    alias = "rmsprop"
    learning_rate: ScheduleField = default(0.001)
    rho: Fraction = 0.9
    momentum: FractionLike = 0.0
    epsilon: NonNegativeFloat = 1e-7
    centered: Bool = False
    epsilon_inside: Bool = True
    initial_mean_square: NonNegativeFloat = 0.0

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        slots = {"s": Slot(shape, Constant(self.initial_mean_square))}
        slots |= {"mean": Slot(shape)} if self.centered else {}
        return slots | ({"m": Slot(shape)} if self.momentum else {})

    def scalars(self, step: int) -> dict[str, float]:
        rate = {"learning_rate": self.rate(step)}
        return rate | scheduled(step, momentum=self.momentum)

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        rho = self.rho
        s = toward(slots["s"], ops.square(g), 1.0 - rho)
        made, spread = {"s": s}, s
        if self.centered:
            made["mean"] = toward(slots["mean"], g, 1.0 - rho)
            spread = s - ops.square(made["mean"])
        move = scalars["learning_rate"] * g / root_plus(spread, self.epsilon, self.epsilon_inside)
        if self.momentum:
            mu = present(scalars, "momentum", self.momentum)
            move = made["m"] = mu * slots["m"] + move
        return p - move, made

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        rho: float = 0.9,
        momentum: FractionLike = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.RMSprop` with these arguments."""
        return cls(learning_rate, rho, momentum, epsilon, centered, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.1,
        decay: float = 0.9,
        momentum: FractionLike = 0.0,
        epsilon: float = 1e-10,
        centered: bool = False,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return what `mindspore.nn.RMSProp` documents, with these arguments.

        Unless `centered`, MindSpore's CPU kernel adds ε outside of the root, except for the last
        few elements of a tensor. This optimizer uses the documented form for all elements.
        """
        made = cls(
            learning_rate,
            rho=decay,
            momentum=momentum,
            epsilon=epsilon,
            centered=centered,
            initial_mean_square=1.0,
            weight_decay=mindspore_decay(weight_decay),
        )
        return scaled(made, loss_scale)


@spec
class Adadelta(AbstractOptimizer):
    """d = √(u + ε) / √(s + ε) · g, p -= lr · d, s and u running means of g² and d² (Zeiler, 2012)

    Args:
        learning_rate: a number or a schedule of the step; 1 in the paper.
        rho: decay of both means.
        epsilon: ε.

    Example:
        >>> Adadelta.mindspore().rho
        0.9
    """

    learning_rate: ScheduleField = default(0.001)
    rho: Fraction = 0.95
    epsilon: NonNegativeFloat = 1e-7

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"s": Slot(shape), "u": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        return {"learning_rate": self.rate(step)}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        rho, epsilon = self.rho, self.epsilon
        s = toward(slots["s"], ops.square(g), 1.0 - rho)
        d = ops.sqrt(slots["u"] + epsilon) / ops.sqrt(s + epsilon) * g
        u = toward(slots["u"], ops.square(d), 1.0 - rho)
        return p - scalars["learning_rate"] * d, {"s": s, "u": u}

    @classmethod
    def keras(
        cls,
        learning_rate: ScheduleLike = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        weight_decay: WeightDecayLike = None,
    ) -> Self:
        """Return `keras.optimizers.Adadelta` with these arguments."""
        return cls(learning_rate, rho, epsilon, weight_decay=weight_decay)

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 1.0,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.Adadelta` with these arguments."""
        made = cls(learning_rate, rho, epsilon, weight_decay=mindspore_decay(weight_decay))
        return scaled(made, loss_scale)


def root_plus(x: Value, epsilon: float, inside: bool) -> Value:
    """Return √(x + ε), or √x + ε."""
    return ops.sqrt(x + epsilon) if inside else ops.sqrt(x) + epsilon
