"""`Reader`: a child process that reads files, with limits of time and memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 30
"""Longest time for a file. A small one needs a hundredth of a second."""

START = 240
"""Longest time for the start of the process on a busy machine."""

MEMORY = 400 * 2**20
"""Most memory that a file of at most 100 kB may need, in bytes."""


class Reader:
    """Reads files in a child process, which is started again after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def check(self, parser: str, path: Path) -> str:
        """Read a file, and return the name of the error, or "".

        Raises an AssertionError if the process crashes or hangs, needs much memory, or if the
        error is none of dnnbridge.
        """
        process = self._started()
        assert process.stdin is not None
        process.stdin.write(json.dumps([parser, str(path)]) + "\n")
        process.stdin.flush()
        answer = json.loads(self._line(SECONDS, parser))
        assert answer["ours"] or not answer["error"], f"{parser}: {answer['text']}"
        assert "MemoryError" not in answer["text"], f"{parser}: {answer['text']}"
        assert "bad_alloc" not in answer["text"], f"{parser}: {answer['text']}"
        assert answer["memory"] < MEMORY, f"{parser}: {answer['memory']:,} bytes of memory"
        return str(answer["error"])

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            places = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "robustness.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
            )
            self._lines = queue.Queue()
            threading.Thread(target=_read, args=(self._process, self._lines), daemon=True).start()
            assert self._line(START, "the start") == "ready"
        return self._process

    def _line(self, seconds: float, parser: str) -> str:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            line = None
        if not line:
            how = f"no answer after {seconds} s" if line is None else f"it ended: {self.end()}"
            self.end()
            raise AssertionError(f"{parser}: {how}")
        return line.strip()

    def end(self) -> int | None:
        """End the process, and return its status."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        process.stdin.close()
        try:
            status = process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        assert process.stdout is not None
        return status


def _read(process: subprocess.Popen[str], lines: queue.Queue[Any]) -> None:
    """Put every line of the process into a queue, and "" at its end."""
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            lines.put(line)
    lines.put("")
