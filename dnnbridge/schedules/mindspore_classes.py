"""MindSpore's learning-rate classes under their names and arguments, as our specs.

Each function returns the schedule of the `mindspore.nn` class with the same name. MindSpore
computes in float32 inside the step; ours compute in float64 on the host and round once.
"""

# ruff: noqa: N802

from __future__ import annotations

from dnnbridge.errors import SpecError
from dnnbridge.schedules.decay import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    NaturalExpDecay,
    PolynomialDecay,
)


def ExponentialDecayLR(
    learning_rate: float, decay_rate: float, decay_steps: int, is_stair: bool = False
) -> ExponentialDecay:
    """Return learning_rate · decay_rate^(step / decay_steps).

    Example:
        >>> ExponentialDecayLR(0.1, 0.5, 2)(4)
        0.025
    """
    return ExponentialDecay(learning_rate, decay_steps, decay_rate, is_stair)


def NaturalExpDecayLR(
    learning_rate: float, decay_rate: float, decay_steps: int, is_stair: bool = False
) -> NaturalExpDecay:
    """Return learning_rate · e^(-decay_rate · step).

    Example:
        >>> NaturalExpDecayLR(0.1, 0.9, 2, True)(1)
        0.1
    """
    return NaturalExpDecay(learning_rate, decay_steps, decay_rate, is_stair)


def InverseDecayLR(
    learning_rate: float, decay_rate: float, decay_steps: int, is_stair: bool = False
) -> InverseTimeDecay:
    """Return learning_rate / (1 + decay_rate · step / decay_steps).

    Example:
        >>> InverseDecayLR(0.1, 0.5, 1)(2)
        0.05
    """
    return InverseTimeDecay(learning_rate, decay_steps, decay_rate, is_stair)


def CosineDecayLR(min_lr: float, max_lr: float, decay_steps: int) -> CosineDecay:
    """Return half a cosine from max_lr to min_lr.

    Example:
        >>> CosineDecayLR(0.0, 0.1, 4)(2)
        0.05
    """
    if not 0.0 <= min_lr < max_lr:
        raise SpecError(
            "max_lr must be greater than min_lr, and min_lr must not be negative",
            where="CosineDecayLR",
            got=f"min_lr={min_lr} and max_lr={max_lr}",
            hint="The rate falls from max_lr to min_lr.",
        )
    return CosineDecay(max_lr, decay_steps, min_lr / max_lr)


def PolynomialDecayLR(
    learning_rate: float,
    end_learning_rate: float,
    decay_steps: int,
    power: float,
    update_decay_steps: bool = False,
) -> PolynomialDecay:
    """Return a polynomial of the step from learning_rate to end_learning_rate.

    Example:
        >>> PolynomialDecayLR(0.5, 0.0, 4, 1.0)(2)
        0.25
    """
    return PolynomialDecay(learning_rate, decay_steps, end_learning_rate, power, update_decay_steps)


def WarmUpLR(learning_rate: float, warmup_steps: int) -> LinearWarmup:
    """Return learning_rate · step / warmup_steps, at most learning_rate.

    Example:
        >>> WarmUpLR(0.1, 2).values(3)
        [0.0, 0.05, 0.1]
    """
    return LinearWarmup(learning_rate, warmup_steps)
