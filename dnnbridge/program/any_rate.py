"""`AnyRate`: the learning rate of a graph that serves every rate.

A rate is a host scalar: it is fed to a step, not written into it. So experiments that differ in
their rates have one program, whose optimizer has this rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from dnnbridge.errors import DnnbridgeError
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.schedules import AbstractSchedule

_writing: ContextVar[bool] = ContextVar("_writing", default=False)


class RateReadError(Exception):
    """An optimizer has asked for the value of its rate to write it into the graph."""


@dataclass(frozen=True)
class AnyRate(AbstractSchedule):
    """Stands for every rate: equal to itself, and of no value while an update is written."""

    def __call__(self, step: int) -> float:
        if _writing.get():
            raise RateReadError
        return 1.0


@contextmanager
def writing() -> Iterator[None]:
    """Raise `RateReadError` where the value of an `AnyRate` is asked for."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def for_any_rate(optimizer: AbstractOptimizer) -> AbstractOptimizer | None:
    """Return the optimizer for every rate, or None if it has none that can be another one.

    Example:
        >>> from dnnbridge import SGD, ExponentialDecay
        >>> for_any_rate(SGD(0.1)) == for_any_rate(SGD(ExponentialDecay(0.2, 10, 0.5)))
        True
    """
    try:
        return optimizer.with_rate(lambda _: AnyRate())
    except DnnbridgeError:
        return None
