"""`Guard`: a process that ends the workers of a launch that was killed."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

PROGRAM = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups = set()
for line in sys.stdin:
    sign, group = line[0], int(line[1:])
    groups.add(group) if sign == "+" else groups.discard(group)
for group in groups:
    try:
        os.killpg(group, {int(getattr(signal, "SIGKILL", 9))})
    except OSError:
        pass
"""
"""The program of that process: standard input ends when the launch does, however it ends."""


class Guard:
    """Kills the process groups of workers when this process ends without having ended them.

    No process can do anything after a SIGKILL. So another one, which needs 10 ms to start and
    nothing but Python, holds the other end of a pipe, which the system closes.

    Example:
        >>> with Guard() as guard:
        ...     guard.watch(2**22 + 1)
        ...     guard.forget(2**22 + 1)
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def watch(self, group: int) -> None:
        """Let a process group end with this process."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """A process group has ended, so that its number may belong to another soon."""
        self._tell(f"-{group}\n")

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # somebody has killed it; the training goes on
            self._process.stdin.write(line)
            self._process.stdin.flush()
