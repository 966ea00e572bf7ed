"""`unit_of`: the velocity of one side in that of the other, if one has the rate within it."""

from __future__ import annotations

from typing import Any

from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import SGD

SLOT = "velocity"
"""The array that Keras multiplies with the rate, and MindSpore does not."""


def unit_of(first: Experiment, own: Experiment, step: int) -> float:
    """Return what makes the velocity of a side that of the first one, before a step.

    Keras keeps v = μ v + lr g, MindSpore v = μ v + g. By the rate of the step before, one is the
    other, so only what a rate that changes makes of them is a difference.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(1)])
        >>> first = db.Experiment(model, "mse", db.SGD.keras(0.5, momentum=0.9))
        >>> unit_of(first, first.replace(optimizer=db.SGD(0.1, momentum=0.9)), step=3)
        0.5
    """
    here, there = _momentum(first.optimizer), _momentum(own.optimizer)
    if step == 0 or here is None or there is None:
        return 1.0
    if here.rate_in_velocity == there.rate_in_velocity:
        return 1.0
    within = here if here.rate_in_velocity else there
    rate = float(within.rate(step - 1))
    if not rate:
        return 1.0
    return rate if here.rate_in_velocity else 1.0 / rate


def _momentum(optimizer: Any) -> SGD | None:
    """Return the SGD with momentum within rules of gradients, if it is one."""
    while not isinstance(optimizer, SGD) and hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    return optimizer if isinstance(optimizer, SGD) and optimizer.momentum else None
