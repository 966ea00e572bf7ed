"""MindSpore's seven `nn.*_lr` functions: a list with the rate of every step.

They have the names, arguments, results (to the last bit) and kinds of error of `mindspore.nn` 2.10,
but do not need MindSpore. The rate changes per epoch, `step // step_per_epoch`. See the MindSpore
documentation, `mindspore.nn`, "Dynamic LR Function".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from dnnbridge.errors import ScheduleError, ScheduleTypeError
from dnnbridge.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    NaturalExpDecay,
    PolynomialDecay,
    cosine_between,
)


def exponential_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return learning_rate · decay_rate^(epoch / decay_epoch) for every step.

    Example:
        >>> [round(rate, 3) for rate in exponential_decay_lr(0.1, 0.9, 6, 2, 1)]
        [0.1, 0.1, 0.09, 0.09, 0.081, 0.081]
    """
    _check_decay(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    schedule = ExponentialDecay(learning_rate, decay_epoch, decay_rate, is_stair)
    return _per_epoch(schedule, total_step, step_per_epoch)


def natural_exp_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return learning_rate · e^(-decay_rate · epoch) for every step.

    Example:
        >>> [round(rate, 4) for rate in natural_exp_decay_lr(0.1, 0.9, 4, 2, 1)]
        [0.1, 0.1, 0.0407, 0.0407]
    """
    _check_decay(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    schedule = NaturalExpDecay(learning_rate, decay_epoch, decay_rate, is_stair)
    return _per_epoch(schedule, total_step, step_per_epoch)


def inverse_decay_lr(
    learning_rate: float,
    decay_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    is_stair: bool = False,
) -> list[float]:
    """Return learning_rate / (1 + decay_rate · epoch / decay_epoch) for every step.

    Example:
        >>> inverse_decay_lr(0.1, 0.5, 6, 2, 1)[-1]
        0.05
    """
    _check_decay(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    schedule = InverseTimeDecay(learning_rate, decay_epoch, decay_rate, is_stair)
    return _per_epoch(schedule, total_step, step_per_epoch)


def cosine_decay_lr(
    min_lr: float, max_lr: float, total_step: int, step_per_epoch: int, decay_epoch: int
) -> list[float]:
    """Return half a cosine of the epoch from max_lr to min_lr for every step.

    Example:
        >>> [round(rate, 3) for rate in cosine_decay_lr(0.01, 0.1, 6, 2, 2)]
        [0.1, 0.1, 0.055, 0.055, 0.01, 0.01]
    """
    _check_float("min_lr", min_lr, zero=True)
    _check_float("max_lr", max_lr)
    _check_steps(total_step=total_step, step_per_epoch=step_per_epoch, decay_epoch=decay_epoch)
    if min_lr >= max_lr:
        raise ScheduleError(
            "max_lr must be greater than min_lr",
            where="cosine_decay_lr",
            got=f"min_lr={min_lr} and max_lr={max_lr}",
            hint="The rate falls from max_lr to min_lr.",
        )
    return _per_epoch(
        lambda epoch: cosine_between(max_lr, min_lr, epoch, decay_epoch), total_step, step_per_epoch
    )


def polynomial_decay_lr(
    learning_rate: float,
    end_learning_rate: float,
    total_step: int,
    step_per_epoch: int,
    decay_epoch: int,
    power: float,
    update_decay_epoch: bool = False,
) -> list[float]:
    """Return a polynomial of the epoch from learning_rate to end_learning_rate for every step.

    Example:
        >>> [round(r, 4) for r in polynomial_decay_lr(0.1, 0.01, 6, 2, 2, 0.5)]
        [0.1, 0.1, 0.0736, 0.0736, 0.01, 0.01]
    """
    _check_float("learning_rate", learning_rate)
    _check_float("end_learning_rate", end_learning_rate, zero=True)
    _check_float("power", power)
    _check_steps(total_step=total_step, step_per_epoch=step_per_epoch, decay_epoch=decay_epoch)
    _check_bool("update_decay_epoch", update_decay_epoch)
    schedule = PolynomialDecay(
        learning_rate, decay_epoch, end_learning_rate, power, update_decay_epoch
    )
    return _per_epoch(schedule, total_step, step_per_epoch)


def warmup_lr(
    learning_rate: float, total_step: int, step_per_epoch: int, warmup_epoch: int
) -> list[float]:
    """Return learning_rate · epoch / warmup_epoch, at most learning_rate, for every step.

    Example:
        >>> warmup_lr(0.1, 6, 2, 2)
        [0.0, 0.0, 0.05, 0.05, 0.1, 0.1]
    """
    _check_float("learning_rate", learning_rate, zero=True)
    _check_steps(warmup_epoch=warmup_epoch, total_step=total_step, step_per_epoch=step_per_epoch)
    return _per_epoch(LinearWarmup(learning_rate, warmup_epoch), total_step, step_per_epoch)


def piecewise_constant_lr(milestone: Sequence[int], learning_rates: Sequence[float]) -> list[float]:
    """Return learning_rates[i] for the steps up to milestone[i].

    Example:
        >>> piecewise_constant_lr([2, 5], [0.1, 0.05])
        [0.1, 0.1, 0.05, 0.05, 0.05]
    """
    for name, given in (("milestone", milestone), ("learning_rates", learning_rates)):
        if not isinstance(given, (tuple, list)):
            raise _type_error(name, "a tuple or list", given)
    if len(milestone) != len(learning_rates):
        raise ScheduleError(
            "milestone and learning_rates must have the same length",
            where="piecewise_constant_lr",
            got=f"{len(milestone)} and {len(learning_rates)}",
            hint="Give the step at which each rate ends.",
        )
    for i, (step, rate) in enumerate(zip(milestone, learning_rates, strict=True)):
        _check_steps(**{f"milestone[{i}]": step})
        if not isinstance(rate, float):
            raise _type_error(f"learning_rates[{i}]", "a float", rate)
    if any(later < earlier for earlier, later in pairwise(milestone)):
        raise ScheduleError(
            "milestones must ascend", where="milestone", got=repr(milestone), hint="Sort them."
        )
    lengths = [b - a for a, b in pairwise((0, *milestone))]
    return [r for rate, n in zip(learning_rates, lengths, strict=True) for r in [rate] * n]


def _per_epoch(
    schedule: Callable[[int], float], total_step: int, step_per_epoch: int
) -> list[float]:
    return [schedule(step // step_per_epoch) for step in range(total_step)]


def _check_decay(
    learning_rate: float, decay_rate: float, total: int, per_epoch: int, epochs: int, stair: bool
) -> None:
    _check_steps(total_step=total, step_per_epoch=per_epoch, decay_epoch=epochs)
    _check_float("learning_rate", learning_rate)
    _check_float("decay_rate", decay_rate)
    _check_bool("is_stair", stair)


def _check_steps(**steps: int) -> None:
    for name, value in steps.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise _type_error(name, "an int", value)
        if value <= 0:
            raise _value_error(name, "positive", value)


def _check_float(name: str, value: float, zero: bool = False) -> None:
    if not isinstance(value, float):
        raise _type_error(name, "a float", value)
    if not math.isfinite(value):
        raise _value_error(name, "finite", value)
    if value < 0 or (value == 0 and not zero):
        raise _value_error(name, "not negative" if zero else "positive", value)


def _check_bool(name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise _type_error(name, "a bool", value)


def _type_error(name: str, wanted: str, value: object) -> ScheduleTypeError:
    got = f"{value!r} of type {type(value).__name__}"
    return ScheduleTypeError(f"must be {wanted}", where=name, got=got, hint=f"Pass {wanted}.")


def _value_error(name: str, wanted: str, value: object) -> ScheduleError:
    return ScheduleError(f"must be {wanted}", where=name, got=repr(value), hint="Change the value.")
