"""`AnyRate`: a placeholder for the learning rate, so that one graph serves every rate.

A rate is a host scalar: it is fed to each step, not written into the graph. So experiments that
differ only in their rates share one program, whose optimizer has this rate.
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
    """An optimizer read the value of its rate to write it into the graph."""


@dataclass(frozen=True)
class AnyRate(AbstractSchedule):
    """Stands for every rate: equal to any other `AnyRate`, without a value in `writing`."""

    def __call__(self, step: int) -> float:
        if _writing.get():
            raise RateReadError
        return 1.0


@contextmanager
def writing() -> Iterator[None]:
    """Make `AnyRate` raise `RateReadError` when its value is read inside the block."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def for_any_rate(optimizer: AbstractOptimizer) -> AbstractOptimizer | None:
    """Return the optimizer with `AnyRate` as its rate, or None if its rate cannot be replaced.

    Example:
        >>> from dnnbridge import SGD, ExponentialDecay
        >>> for_any_rate(SGD(0.1)) == for_any_rate(SGD(ExponentialDecay(0.2, 10, 0.5)))
        True
    """
    try:
        return optimizer.with_rate(lambda _: AnyRate())
    except DnnbridgeError:
        return None
