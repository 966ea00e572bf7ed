"""Schedules that go up and down."""

from __future__ import annotations

import math
from typing import Literal

from dnnbridge.errors import SpecError
from dnnbridge.schedules.base import AbstractSchedule
from dnnbridge.specs.fields import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from dnnbridge.specs.spec import spec


@spec
class CosineDecayRestarts(AbstractSchedule):
    """Half a cosine downwards, restarted repeatedly (Loshchilov & Hutter, "SGDR", 2017)

    Equals `keras.optimizers.schedules.CosineDecayRestarts`.

    Args:
        initial_learning_rate: the rate at the start of the first period.
        first_decay_steps: length of the first period.
        t_mul: factor from the length of a period to that of the next.
        m_mul: factor from the start of a period to that of the next.
        alpha: the rate at the end of a period, as a fraction of the initial rate.

    Example:
        >>> CosineDecayRestarts(0.1, first_decay_steps=2, t_mul=2.0).values(3)
        [0.1, 0.05, 0.1]
    """

    initial_learning_rate: PositiveFloat
    first_decay_steps: PositiveInt
    t_mul: PositiveFloat = 2.0
    m_mul: NonNegativeFloat = 1.0
    alpha: NonNegativeFloat = 0.0

    def __call__(self, step: int) -> float:
        start, length, height = 0.0, float(self.first_decay_steps), 1.0
        while step >= start + length:
            start, length, height = start + length, length * self.t_mul, height * self.m_mul
            if length < 1.0:  # shrinking periods end
                return self.initial_learning_rate * self.alpha
        cosine = 0.5 * height * (1.0 + math.cos(math.pi * (step - start) / length))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)


@spec
class CyclicalLearningRate(AbstractSchedule):
    """Up and down in straight lines between two rates (Smith, 2017)

    Args:
        initial_learning_rate: the lower rate, and the first one.
        maximal_learning_rate: the upper rate.
        step_size: number of steps from one rate to the other.
        mode: "triangular"; "triangular2": the distance between the rates halves with each cycle;
            or "exp_range": the distance is multiplied by `gamma` at each step.
        gamma: for "exp_range".

    Example:
        >>> CyclicalLearningRate(0.1, 0.3, step_size=2).values(5)
        [0.1, 0.2, 0.3, 0.2, 0.1]
    """

    initial_learning_rate: NonNegativeFloat
    maximal_learning_rate: PositiveFloat
    step_size: PositiveInt
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: PositiveFloat = 1.0

    def __call__(self, step: int) -> float:
        cycle, place = divmod(step, 2 * self.step_size)
        share = 1.0 - abs(place - self.step_size) / self.step_size
        if self.mode == "triangular2":
            share *= 0.5**cycle
        elif self.mode == "exp_range":
            share *= self.gamma**step
        distance = self.maximal_learning_rate - self.initial_learning_rate
        return self.initial_learning_rate + distance * share


@spec
class OneCycle(AbstractSchedule):
    """Up to the maximal rate, back down, and in a tail far below (Smith & Topin, 2018)

    The rate follows straight lines. It goes from the start to the maximum and back, each in half
    of the steps before the tail. In the tail it goes to the final rate, and then stays there.

    Args:
        maximal_learning_rate: the highest rate.
        total_steps: number of training steps.
        initial_learning_rate: the first rate; by default a tenth of the maximum.
        final_learning_rate: the last rate; by default a thousandth of the first.
        tail_steps: number of steps in the tail; by default a tenth of all steps.

    Example:
        >>> [round(rate, 4) for rate in OneCycle(1.0, 21).values(21)[::9]]
        [0.1, 1.0, 0.1]
    """

    maximal_learning_rate: PositiveFloat
    total_steps: PositiveInt
    initial_learning_rate: PositiveFloat | None = None
    final_learning_rate: NonNegativeFloat | None = None
    tail_steps: NonNegativeInt | None = None

    def __post_init__(self) -> None:
        _check_tail(self.total_steps, self.tail_steps)

    def __call__(self, step: int) -> float:
        top = self.maximal_learning_rate
        start = top / 10.0 if self.initial_learning_rate is None else self.initial_learning_rate
        end = start / 1000.0 if self.final_learning_rate is None else self.final_learning_rate
        return _one_cycle(step, self.total_steps, self.tail_steps, (start, top, end))

    def momentum(self, maximal: float = 0.95, minimal: float = 0.85) -> OneCycleMomentum:
        """Return the momentum that goes down while this rate goes up."""
        return OneCycleMomentum(self.total_steps, maximal, minimal, self.tail_steps)


@spec
class OneCycleMomentum(AbstractSchedule):
    """The momentum of `OneCycle`: down while the rate goes up, up again, then the maximum

    Args:
        total_steps: number of training steps.
        maximal_momentum: the first and last momentum.
        minimal_momentum: the momentum where the rate is highest.
        tail_steps: number of steps in the tail; by default a tenth of all steps.

    Example:
        >>> OneCycle(1.0, 21).momentum() == OneCycleMomentum(21)
        True
        >>> [round(momentum, 4) for momentum in OneCycleMomentum(21).values(21)[::9]]
        [0.95, 0.85, 0.95]
    """

    quantity = "momentum"

    total_steps: PositiveInt
    maximal_momentum: Fraction = 0.95
    minimal_momentum: Fraction = 0.85
    tail_steps: NonNegativeInt | None = None

    def __post_init__(self) -> None:
        _check_tail(self.total_steps, self.tail_steps)

    def __call__(self, step: int) -> float:
        high, low = self.maximal_momentum, self.minimal_momentum
        return _one_cycle(step, self.total_steps, self.tail_steps, (high, low, high))


def _check_tail(total: int, tail: int | None) -> None:
    if tail is not None and tail >= total:
        raise SpecError(
            "the tail must be shorter than the training",
            where="tail_steps",
            got=f"{tail} of {total} steps",
        )


def _one_cycle(
    step: int, total: int, tail_steps: int | None, values: tuple[float, float, float]
) -> float:
    """Return the value on straight lines: start to turn, back to start, then to end in the tail."""
    start, turn, end = values
    tail = total // 10 if tail_steps is None else tail_steps
    last = max(total - 1, 1)
    back = last - tail
    half = max(back, 1) / 2.0
    if step <= half:
        return start + (turn - start) * step / half
    if step <= back:
        return turn + (start - turn) * (step - half) / half
    if step >= last:
        return end
    return start + (end - start) * (step - back) / tail
