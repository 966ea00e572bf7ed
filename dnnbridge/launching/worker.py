"""`Worker`: a process that a launch started, its last lines and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

LINES = 20
"""Number of last lines that are kept of each worker."""


class Worker:
    """A process in a group of its own, with the processes that it starts itself.

    The first worker reads and writes where the launch does; lines of the others are kept.

    Args:
        rank: its number.
        command: what it runs.
        environment: its variables.
        shown: whether it writes where this process writes.
        log: the file for the lines of a worker that is not shown, if they are wanted.

    Attributes:
        ended: the time of its end, by `time.monotonic`; None while it runs.
    """

    def __init__(
        self,
        rank: int,
        command: Sequence[str],
        environment: Mapping[str, str],
        shown: bool,
        log: Path | None = None,
    ) -> None:
        self.rank = rank
        self.ended: float | None = None
        self._lines: deque[str] = deque(maxlen=LINES)
        self._process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=None if shown else subprocess.DEVNULL,
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=self._wait, daemon=True)]
        if not shown:
            self._threads.append(threading.Thread(target=self._read, args=(log,), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def failed(self) -> bool:
        """Whether it has ended with an error."""
        return self.ended is not None and self._process.returncode != 0

    @property
    def lines(self) -> list[str]:
        """Its last lines; none of the worker that is shown."""
        return list(self._lines)

    def how(self) -> str:
        """Say how it ended."""
        status = self._process.returncode
        if status is None:
            return "still runs"
        if status >= 0:
            return f"exit status {status}"
        try:
            return f"signal {signal.Signals(-status).name}"
        except ValueError:
            return f"signal {-status}"

    def send(self, number: int) -> None:
        """Send a signal to its group, which may outlive it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing of it is left
            os.killpg(self._process.pid, number)

    def finish(self) -> None:
        """Wait until its last lines have been read."""
        for thread in self._threads:
            thread.join(2.0)

    def _wait(self) -> None:
        self._process.wait()
        self.ended = time.monotonic()

    def _read(self, log: Path | None) -> None:
        assert self._process.stdout is not None
        file = log.open("ab", buffering=0) if log else None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                if file:
                    file.write(line)
        if file:
            file.close()
