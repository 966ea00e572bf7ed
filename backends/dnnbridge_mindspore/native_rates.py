"""Read learning rates and other numbers of MindSpore optimizers from public attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mindspore import Parameter, Tensor, nn

import dnnbridge as db
from dnnbridge.backend import AbstractSchedule, NativeOptions, shortest

SCHEDULES: dict[str, Callable[[Any], AbstractSchedule]] = {
    "CosineDecayLR": lambda c: db.CosineDecay(c.max_lr, c.decay_steps, c.min_lr / c.max_lr),
    "ExponentialDecayLR": lambda c: db.ExponentialDecay(
        c.learning_rate, c.decay_steps, c.decay_rate, c.is_stair
    ),
    "InverseDecayLR": lambda c: db.InverseTimeDecay(
        c.learning_rate, c.decay_steps, c.decay_rate, c.is_stair
    ),
    "NaturalExpDecayLR": lambda c: db.NaturalExpDecay(
        c.learning_rate, c.decay_steps, c.decay_rate, c.is_stair
    ),
    "PolynomialDecayLR": lambda c: db.PolynomialDecay(
        c.start_learning_rate, c.decay_steps, c.end_learning_rate, c.power, c.update_decay_steps
    ),
    "WarmUpLR": lambda c: db.LinearWarmup(c.learning_rate, c.warmup_steps),
}
"""The schedule for each class of `mindspore.nn.learning_rate_schedule`."""


def schedule(given: Any, options: NativeOptions) -> float | AbstractSchedule:
    """Convert a number, a list, a Tensor or a Cell of the step to a rate or schedule."""
    if isinstance(given, Tensor):
        given = given.asnumpy().tolist()
        given = shortest(given) if isinstance(given, float) else given
    if isinstance(given, nn.Cell):
        kind = type(given).__name__
        if type(given).__module__.startswith("mindspore.") and kind in SCHEDULES:
            return SCHEDULES[kind](given)

        def value(step: int) -> float:
            return float(given(Tensor(np.array(step, np.int32))).asnumpy())

        return options.tabulated(value, f"a Cell of the class {kind}")
    if isinstance(given, (int, float)):
        return float(given)
    return db.TableSchedule(tuple(float(rate) for rate in given))


def current(held: Any, given: Any) -> Any:
    """Return the current value of an argument.

    Args:
        held: the attribute that holds it, which `ops.assign` may have changed.
        given: the exact value that the constructor got.
    """
    if not isinstance(held, Parameter) or held.ndim > 0 or not isinstance(given, (int, float)):
        return given
    now = float(held.asnumpy())
    return given if np.float32(given) == np.float32(now) else shortest(now)


def our_name(native: str) -> str:
    """Return the name of a weight in dnnbridge, if its layers have the same names as in MindSpore.

    Example:
        >>> our_name("encoder.dense.weight")
        'encoder/dense/kernel'
    """
    *path, last = native.split(".")
    ours = {"weight": "kernel", "embedding_table": "embeddings"}
    return "/".join([*path, ours.get(last, last)])
