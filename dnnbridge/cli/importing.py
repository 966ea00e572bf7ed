"""Let signals wait while the user's file imports a framework.

C++ code of a framework may abort the process if a handler raises an exception in the middle of its
import. The rest of the file may take long, so there a signal does not wait.
"""

from __future__ import annotations

import inspect
import signal
import threading
from types import FrameType

from dnnbridge.base.interrupts import WAITING, Handler
from dnnbridge.base.packages import FRAMEWORKS

AGAIN = 0.05
"""Seconds until a signal that waits is sent again."""


class AfterImports:
    """A context in which signals wait until no framework is being imported.

    Python runs handlers in the main thread, so other threads need nothing. A second signal of the
    same kind does not wait.

    Example:
        >>> with AfterImports():
        ...     import math
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._waiting: set[int] = set()

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in WAITING:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._handle:  # unless the file has set another since
                signal.signal(number, handler)
        while self._waiting:
            number = self._waiting.pop()
            self._handlers[number](number, inspect.currentframe())

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # A handler that waited elsewhere gets the frame of that time, so look at the present one.
        if number not in self._waiting and _is_importing(inspect.currentframe()):
            self._waiting.add(number)
            timer = threading.Timer(AGAIN, self._again, [number])
            timer.daemon = True
            timer.start()
        else:
            self._waiting.discard(number)
            self._handlers[number](number, frame)

    def _again(self, number: int) -> None:
        if number in self._waiting:  # else it was delivered meanwhile
            self._waiting.discard(number)
            _send(number)


def _send(number: int) -> None:
    """Send a signal to the main thread, where it also ends a system call."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether a module of a framework is being executed in a frame or its callers."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and package in FRAMEWORKS:
            return True
        frame = frame.f_back
    return False
