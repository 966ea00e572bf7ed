"""`Turns`: who may use a run while others do."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from dnnbridge.errors import RunError

WAIT = 0.05
"""Seconds after which one who waits looks whether a training has begun."""


class Turns:
    """Lets one thread at a time use the arrays of a run.

    While `fit` trains, its thread may evaluate, predict, read, write and save, in callbacks; any
    other thread is refused, as it would see weights of half a block of steps. Without a training,
    evaluations and predictions of several threads come one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._fitting: int | None = None

    @contextmanager
    def fit(self) -> Iterator[None]:
        """Hold the run for a training."""
        if self._fitting == threading.get_ident():
            raise RunError(
                "this run is being fitted, and fit was called again by one of its callbacks",
                where="fit",
                hint="Call run.stop() there, and fit again after fit has returned.",
            )
        with self.use("fit"):
            self._fitting = threading.get_ident()
            try:
                yield
            finally:
                self._fitting = None

    @contextmanager
    def use(self, what: str) -> Iterator[None]:
        """Hold the run while a method uses it; wait for others, but not for a training."""
        self.check(what)
        while not self._lock.acquire(timeout=WAIT):
            self.check(what)
        try:
            yield
        finally:
            self._lock.release()

    def check(self, what: str) -> None:
        """Raise if another thread is fitting the run."""
        if self._fitting not in (None, threading.get_ident()):
            raise RunError(
                "this run is being fitted by another thread",
                where=what,
                hint="Use it in a callback of that fit, or compile a run for each thread.",
            )


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def in_turn(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate a method that uses the arrays of an object with `_turns`."""

    @functools.wraps(method)
    def held(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with _turns_of(self).use(method.__name__):
            return method(self, *args, **kwargs)

    return held


def one_at_a_time(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate the method that trains an object with `_turns`."""

    @functools.wraps(method)
    def held(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with _turns_of(self).fit():
            return method(self, *args, **kwargs)

    return held


def _turns_of(holder: Any) -> Turns:
    found: Turns = holder._turns
    return found
