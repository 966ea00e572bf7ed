"""Decaying schedules under Keras' names and arguments.

The formulas are evaluated in Python's float64 on the host, so every backend gets the same values.
`staircase=True` decays in whole intervals of `decay_steps`.
"""

from __future__ import annotations

import math

from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.schedules.combining import Warmup
from dnnbridge.specs.fields import Bool, Float, NonNegativeFloat, PositiveFloat, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class ExponentialDecay(AbstractSchedule):
    """rate · decay_rate^(step / decay_steps)

    Equals `keras.optimizers.schedules.ExponentialDecay` and MindSpore's `ExponentialDecayLR`.
    With `staircase=True` it is step decay: times 0.8 every 20 steps is
    `ExponentialDecay(rate, decay_steps=20, decay_rate=0.8, staircase=True)`.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)(4)
        0.025
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    decay_rate: PositiveFloat
    staircase: Bool = False

    def __call__(self, step: int) -> float:
        whole = step // self.decay_steps
        exponent = whole if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**exponent)


@spec
class NaturalExpDecay(AbstractSchedule):
    """rate · e^(-decay_rate · step)

    Equals MindSpore's `NaturalExpDecayLR`: `decay_steps` counts only with `staircase=True`, where
    the step is rounded down to a multiple of it.

    Example:
        >>> schedule = NaturalExpDecay(0.1, decay_steps=2, decay_rate=0.9, staircase=True)
        >>> [round(rate, 4) for rate in schedule.values(3)]
        [0.1, 0.1, 0.0165]
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    decay_rate: PositiveFloat
    staircase: Bool = False

    def __call__(self, step: int) -> float:
        at = step // self.decay_steps * self.decay_steps if self.staircase else step
        return float(self.initial_learning_rate * math.e ** (-self.decay_rate * at))


@spec
class InverseTimeDecay(AbstractSchedule):
    """rate / (1 + decay_rate · step / decay_steps)

    Equals `keras.optimizers.schedules.InverseTimeDecay` and MindSpore's `InverseDecayLR`.

    Example:
        >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)(2)
        0.05
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    decay_rate: PositiveFloat
    staircase: Bool = False

    def __call__(self, step: int) -> float:
        if self.staircase:
            return self.initial_learning_rate / (1 + self.decay_rate * (step // self.decay_steps))
        return self.initial_learning_rate / (1 + self.decay_rate * step / self.decay_steps)


@spec
class PowerDecay(AbstractSchedule):
    """rate / (1 + step / decay_steps)^power (Géron, "Hands-On Machine Learning", power scheduling)

    Its first power is `InverseTimeDecay` with decay_rate 1.

    Example:
        >>> PowerDecay(0.5, decay_steps=10, power=2.0).values(11)[::10]
        [0.5, 0.125]
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    power: PositiveFloat = 1.0
    staircase: Bool = False

    def __call__(self, step: int) -> float:
        passed = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate / (1 + passed) ** self.power)


@spec
class PolynomialDecay(AbstractSchedule):
    """(rate - end) · (1 - step / decay_steps)^power + end, then `end`

    `cycle=True` lengthens `decay_steps` to its next multiple instead of stopping. Equals
    `keras.optimizers.schedules.PolynomialDecay` and MindSpore's `PolynomialDecayLR` (there
    `update_decay_steps`).

    Example:
        >>> round(PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.02)(2), 6)
        0.06
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    end_learning_rate: NonNegativeFloat = 1e-4
    power: PositiveFloat = 1.0
    cycle: Bool = False

    def __call__(self, step: int) -> float:
        steps = self.decay_steps
        if self.cycle:
            steps *= max(math.ceil(step / steps), 1)
        delta = self.initial_learning_rate - self.end_learning_rate
        progress = min(step, steps) / steps
        return float(delta * (1 - progress) ** self.power + self.end_learning_rate)


@spec
class CosineDecay(AbstractSchedule):
    """Half a cosine down to `alpha · rate`, which then stays (Loshchilov & Hutter, 2017)

    Equals `keras.optimizers.schedules.CosineDecay` without warm-up (`CosineDecay.keras` has it),
    and MindSpore's `CosineDecayLR(min_lr, max_lr, decay_steps)` with `alpha = min_lr / max_lr`.

    Example:
        >>> CosineDecay(0.1, decay_steps=4)(2)
        0.05
    """

    initial_learning_rate: PositiveFloat
    decay_steps: PositiveInt
    alpha: Float = 0.0

    def __call__(self, step: int) -> float:
        end = self.alpha * self.initial_learning_rate
        return cosine_between(self.initial_learning_rate, end, step, self.decay_steps)

    @classmethod
    def keras(
        cls,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        *,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> AbstractSchedule:
        """Return `keras.optimizers.schedules.CosineDecay` with these arguments.

        With a warm-up target the rate first goes in a straight line to the target, and the cosine
        begins there. Without a target Keras ignores `warmup_steps`.
        """
        if warmup_target is None:
            return cls(initial_learning_rate, decay_steps, alpha)
        decay = cls(warmup_target, decay_steps, alpha)
        return Warmup(decay, warmup_steps, initial_learning_rate) if warmup_steps else decay


def cosine_between(start: float, end: float, step: int, decay_steps: int) -> float:
    """Return the half cosine from `start` at step 0 to `end` at `decay_steps` and after."""
    angle = math.pi * min(step, decay_steps) / decay_steps
    return end + 0.5 * (start - end) * (1 + math.cos(angle))


@spec
class LinearWarmup(AbstractSchedule):
    """rate · step / warmup_steps, then the rate: the first update has rate 0

    Equals MindSpore's `WarmUpLR`.

    Example:
        >>> LinearWarmup(0.1, warmup_steps=2).values(4)
        [0.0, 0.05, 0.1, 0.1]
    """

    learning_rate: NonNegativeFloat
    warmup_steps: PositiveInt

    def __call__(self, step: int) -> float:
        return self.learning_rate * min(step, self.warmup_steps) / self.warmup_steps
