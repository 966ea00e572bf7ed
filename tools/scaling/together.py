"""`Together`: lets the workers of a measurement begin at the same time."""

from __future__ import annotations

import time
from pathlib import Path

PAUSE = 0.002
"""Seconds between two looks at the files of the others; waiting takes no processor."""


class Together:
    """Worker `rank` of `count` meets the others by files in a folder, so by no framework.

    Args:
        folder: empty at the beginning, the same for all.
        rank: the number of this worker.
        count: how many there are.
        seconds: how long it waits before it fails.
    """

    def __init__(self, folder: Path, rank: int, count: int, seconds: float = 300.0) -> None:
        self.rank, self.count = rank, count
        self._folder, self._seconds, self._times = folder, seconds, 0

    def meet(self) -> None:
        """Wait until all workers have called this as often.

        Raises:
            TimeoutError: another worker has not come in time.
        """
        self._times += 1
        (self._folder / f"{self._times}.{self.rank}").touch()
        others = [self._folder / f"{self._times}.{rank}" for rank in range(self.count)]
        until = time.monotonic() + self._seconds
        while not all(each.exists() for each in others):
            if time.monotonic() > until:
                raise TimeoutError(f"a worker did not come to meeting {self._times}: {others}")
            time.sleep(PAUSE)
