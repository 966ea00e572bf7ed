"""Let signals wait: while a run changes its arrays and position together, or a framework loads."""

from __future__ import annotations

import _weakrefset
import signal
import threading
import weakref
from collections.abc import Callable, Collection
from types import FrameType, TracebackType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2")
WAITING = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
"""Signals that wait while a run moves, if they have a Python handler, which may raise."""

FREEING = (weakref.__file__, _weakrefset.__file__)
"""Modules whose functions Python calls while it frees an object."""

_moving = threading.local()


class Waiting:
    """A context that can delay signal handlers.

    Python runs handlers in the main thread, so other threads need nothing. A delayed handler runs
    as soon as the delay ends, or at once if its signal comes again: a second Ctrl-C is not
    delayed. Signals without a Python handler still end the process.

    Args:
        waits: whether handlers wait from the start.
        leave: signals whose handlers are not replaced, as they wait in another way.

    Attributes:
        waits: whether handlers wait now.
        raised: the last exception of a handler that was called at once.

    Example:
        >>> with Waiting(waits=True):
        ...     done = [step for step in range(3)]
    """

    def __init__(self, waits: bool = False, leave: Collection[int] = ()) -> None:
        self.waits, self._held, self._leave = waits, False, leave
        self.raised: BaseException | None = None
        self._handlers: dict[int, Handler] = {}
        self._came: list[tuple[int, FrameType | None]] = []

    def __enter__(self) -> Waiting:
        if threading.current_thread() is threading.main_thread():
            try:
                self._replace_handlers()
            except BaseException:  # of a handler that is not replaced yet
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.waits, self._held = True, False  # until all handlers are restored
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._handle:  # unless the caller has set another since
                signal.signal(number, handler)
        self.resume()

    def _replace_handlers(self) -> None:
        for number in WAITING:
            handler = signal.getsignal(number)
            if callable(handler) and number not in self._leave:
                self._handlers[number] = handler
                signal.signal(number, self._handle)

    def hold(self) -> None:
        """Let handlers wait until `deliver`, also where `resume` would call them."""
        self.waits = self._held = True

    def came(self) -> set[int]:
        """Return the signals that have arrived and wait."""
        return {number for number, _ in self._came}

    def deliver(self) -> None:
        """Call the handlers of signals that have arrived; others wait again after that."""
        held, self._held = self._held, False
        try:
            self.resume()
        finally:
            self.waits = self._held = held

    def resume(self) -> None:
        """End the delay, and call the handlers of signals that have arrived, unless held."""
        if self._held:
            return
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
            try:
                self._handlers[number](number, frame)
            except BaseException as error:
                self.raised = error
                raise


def _is_lost(frame: FrameType | None) -> bool:
    """Return whether Python is freeing an object, and so would print and drop an exception."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename in FREEING:
            return True
        frame = frame.f_back
    return False


class Move:
    """A context that changes arrays and position together, or reports a partial change.

    Args:
        waiting: its handlers wait inside the context.
        torn: called with an exception that was raised after a part of the change.
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
        """Mark the change as complete."""
        self._whole = True

    def pause(self) -> None:
        """Mark that nothing has been changed yet, and let signals through."""
        self._whole = True
        self._waiting.resume()

    def go_on(self) -> None:
        """Mark that a change begins now."""
        self._waiting.waits = True
        self._whole = False


class unchanged:  # noqa: N801
    """A context in which a backend has changed no array yet, as while it compiles.

    An exception inside it, including Ctrl-C, leaves the run unchanged. Outside of it, an error in a
    training step means that some arrays may have changed and others not.

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
