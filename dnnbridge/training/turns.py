"""`Turns`: coordinate the threads that use one run."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from dnnbridge.errors import RunError


class Turns:
    """Lets one thread at a time use the arrays of a run.

    While `fit` trains, its thread may evaluate, predict, read, write and save, in callbacks. Any
    other thread gets an error, as it would see weights in the middle of a block of steps. When no
    training runs, evaluations and predictions of several threads run one after the other.

    An interrupt may arrive between any two Python calls, and a run that stayed locked would be
    unusable. So `with` itself takes the lock, and the end of a training makes no call.

    Attributes:
        lock: held while a method uses the arrays, and while a training begins.
        fitting: identifier of the training thread, or None.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.fitting: int | None = None

    def check(self, what: str) -> None:
        """Raise if another thread is fitting the run."""
        if self.fitting not in (None, threading.get_ident()):
            raise RunError(
                "another thread is training this run",
                where=what,
                hint="Use the run in a callback of that fit, or compile a run for each thread.",
            )


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def in_turn(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate a method that uses the arrays of an object with `_turns`."""

    @functools.wraps(method)
    def held(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        turns = _turns_of(self)
        with turns.lock:
            turns.check(method.__name__)
            return method(self, *args, **kwargs)

    return held


def one_at_a_time(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Decorate the method that trains an object with `_turns`."""

    @functools.wraps(method)
    def held(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        turns, this = _turns_of(self), threading.get_ident()
        if turns.fitting == this:
            raise RunError(
                "a callback called fit while fit is training the same run",
                where="fit",
                hint="Call run.stop() in the callback; call fit again after fit has returned.",
            )
        try:
            with turns.lock:
                turns.check("fit")
                turns.fitting = this
            return method(self, *args, **kwargs)
        finally:
            if turns.fitting == this:
                turns.fitting = None

    return held


def _turns_of(holder: Any) -> Turns:
    found: Turns = holder._turns
    return found
