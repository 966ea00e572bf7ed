"""Arrays and position of a run move together, whatever is raised: signals wait meanwhile."""

from __future__ import annotations

import _weakrefset
import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2")
WAITING = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
"""Signals that wait while a run moves, if Python has a handler for them, which may raise."""

FREEING = (weakref.__file__, _weakrefset.__file__)
"""Modules whose functions are called while Python frees an object."""

_moving = threading.local()


class Waiting:
    """A context in which the handlers of signals can be told to wait.

    Python runs them in the main thread, so there is nothing to do in any other. A handler is
    called as soon as nothing waits any more, and at once if its signal comes again: who presses
    Ctrl-C twice means it. What ends the process without a handler of Python's still does.

    Args:
        waits: whether they wait from the start.

    Attributes:
        waits: whether they wait now.

    Example:
        >>> with Waiting(waits=True):
        ...     done = [step for step in range(3)]
    """

    def __init__(self, waits: bool = False) -> None:
        self.waits = waits
        self._handlers: dict[int, Handler] = {}
        self._came: list[tuple[int, FrameType | None]] = []

    def __enter__(self) -> Waiting:
        if threading.current_thread() is threading.main_thread():
            for number in WAITING:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        self.waits = True  # until all handlers are back
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._handle:  # not one that the caller set since
                signal.signal(number, handler)
        self.resume()

    def resume(self) -> None:
        """Let nothing wait any more, and call the handlers of what has come."""
        self.waits = False
        if self._came:
            number, frame = self._came.pop(0)
            try:
                self._handlers[number](number, frame)
            finally:
                self.resume()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        waits = self.waits or _is_lost(frame)
        if waits and all(number != other for other, _ in self._came):
            self._came.append((number, frame))
        else:
            self._came = [each for each in self._came if each[0] != number]
            self._handlers[number](number, frame)


def _is_lost(frame: FrameType | None) -> bool:
    """Say whether Python would print and forget what is raised here: while it frees an object."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename in FREEING:
            return True
        frame = frame.f_back
    return False


class Move:
    """A change of arrays and position, as a context: both, or an error that says so.

    Args:
        waiting: its handlers wait meanwhile.
        torn: is called with what was raised after something had been changed, and before all had.
    """

    def __init__(self, waiting: Waiting, torn: Callable[[BaseException], None]) -> None:
        self._waiting, self._torn = waiting, torn
        self._whole = True

    def __enter__(self) -> Move:
        self._waiting.waits = True
        self._whole = False
        _moving.move = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _moving.move = None
        if error is not None and not self._whole:
            self._torn(error)
        self._waiting.resume()

    def done(self) -> None:
        """Say that all has been changed."""
        self._whole = True

    def pause(self) -> None:
        """Say that nothing has been changed yet, and let signals through."""
        self._whole = True
        self._waiting.resume()

    def go_on(self) -> None:
        """Say that something is going to be changed."""
        self._waiting.waits = True
        self._whole = False


class unchanged:  # noqa: N801
    """A context in which a backend has changed no array yet, as while it compiles.

    What is raised in it, Ctrl-C included, leaves the run as it was. Outside of it, an error from a
    step of training means that some arrays may have been changed and others not.

    Example:
        >>> with unchanged():
        ...     compiled = "a long time"
    """

    def __init__(self) -> None:
        self._move: Move | None = getattr(_moving, "move", None)

    def __enter__(self) -> None:
        if self._move is not None:
            self._move.pause()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._move is not None and kind is None:
            self._move.go_on()
