"""Handle Ctrl-C while MindSpore runs a graph; MindSpore replaces the SIGINT handler.

Every run of a graph, and every thread that MindSpore starts, replaces the SIGINT handler by one in
C. That handler sends SIGTERM to its own process, which ends without a KeyboardInterrupt. There is
no setting to turn this off.

So this module restores the previous handler after each call. During a call, SIGTERM is only noted.
After the call the signal is sent again to the caller's handlers: as SIGINT if MindSpore sent the
SIGTERM. The operating system writes the sender on the stack of the handler. The handler has its own
stack here, so that the sender can be read afterwards.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import signal
import sys
import threading
from functools import cache
from typing import cast

LINUX = sys.platform == "linux"
"""MindSpore replaces signal handlers only on Linux."""

HELD = (signal.SIGTERM,) if LINUX else ()
"""Signals that wait until the end of the call; their handlers must not be replaced meanwhile."""

SIZE, WRITTEN = 64 * 1024, 16 * 1024
"""Bytes of the stack and of its end, where Linux writes 1 to 12 KiB, depending on the processor."""

ON_OWN_STACK, RESTART, WITH_SENDER = 0x08000000, 0x10000000, 4
"""Flags of `sigaction`; they are the same on every processor that MindSpore supports."""

NOTED = re.compile(rb"\x0f\0{7}(.{4})\0{4}(.{4}).{12}\0{96}", re.DOTALL)
"""SIGTERM (15) as Linux writes it (siginfo_t): number, errno, code, sender, then zeros."""


class _Action(ctypes.Structure):
    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ulong * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _Stack(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


class KeptSignals:
    """A context around each call of MindSpore, in any thread, one at a time.

    In a thread other than the main one, the sender of a SIGTERM is unknown. Each SIGTERM during a
    call then counts as Ctrl-C, which Python handles in its main thread.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._memory = mmap.mmap(-1, SIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._stack, self._stack_before = _Stack(start, 0, SIZE), _Stack()
        # The handler may be any function without side effects.
        nothing = ctypes.cast(self._libc.getpid, ctypes.c_void_p).value
        interrupt = ctypes.cast(ctypes.pythonapi.PyErr_SetInterrupt, ctypes.c_void_p).value
        self._note = _Action(nothing, flags=ON_OWN_STACK | RESTART | WITH_SENDER)
        self._interrupt = _Action(interrupt, flags=RESTART)
        self._own = nothing, interrupt
        self._int, self._term, self._found = _Action(), _Action(), _Action()
        self._known = False

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        self._remember_interrupt()
        if self._main:
            self._libc.sigaltstack(ctypes.byref(self._stack), ctypes.byref(self._stack_before))
        elif not callable(signal.getsignal(signal.SIGINT)):
            return  # Python does not handle SIGINT
        if self._set(signal.SIGTERM, self._note if self._main else self._interrupt) in self._own:
            return  # the end of the previous call was interrupted
        self._term, self._found = self._found, self._term

    def __exit__(self, *_: object) -> None:
        if _is_mindspores(self._set(signal.SIGINT)) and self._known:
            self._set(signal.SIGINT, self._int)
        if self._set(signal.SIGTERM) in self._own:  # nobody has set another handler
            self._set(signal.SIGTERM, self._term)
        if self._main:
            self._libc.sigaltstack(ctypes.byref(self._stack_before), None)
            self._send_again()

    def _remember_interrupt(self) -> None:
        """Remember the caller's SIGINT handler, even if MindSpore has already replaced it."""
        if _is_mindspores(self._set(signal.SIGINT)):
            handler = signal.getsignal(signal.SIGINT)
            if not self._main or handler is None:
                return
            signal.signal(signal.SIGINT, handler)
            self._set(signal.SIGINT)
        self._int, self._found, self._known = self._found, self._int, True

    def _send_again(self) -> None:
        """Send a noted signal again to the caller's handlers: SIGINT if MindSpore sent it."""
        written = self._memory[-WRITTEN:]
        if 15 in written and (noted := NOTED.search(written)):
            code, sender = (int.from_bytes(part, sys.byteorder) for part in noted.groups())
            self._memory[:] = bytes(SIZE)
            own = code == 0 and sender == os.getpid()
            os.kill(os.getpid(), signal.SIGINT if own else signal.SIGTERM)

    def _set(self, number: int, action: _Action | None = None) -> int | None:
        """Return the handler of a signal, store its action in `_found`, and set a new action."""
        given = None if action is None else ctypes.byref(action)
        if self._libc.sigaction(number, given, ctypes.byref(self._found)):
            raise OSError(ctypes.get_errno(), "sigaction")
        return cast("int | None", self._found.handler)


@cache
def _is_mindspores(address: int | None) -> bool:
    """Return whether a handler is in a library of MindSpore."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            span, *_, path = line.split(maxsplit=5)
            first, last = (int(end, 16) for end in span.split("-"))
            if first <= (address or 0) < last:
                return path.rpartition("/")[2].startswith(("libmindspore", "_c_expression"))
    return False
