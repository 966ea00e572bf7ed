"""`Sample`: what a process holds at one moment, read from Linux."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

SELF = Path("/proc/self")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """What a process holds at one moment.

    Attributes:
        count: steps or compilations so far.
        seconds: of the processor per step or compilation since the last sample. Other work on the
            machine disturbs it less than the time of the clock.
        memory: resident bytes.
        handles: open files.
        threads: threads of the process, also those that a framework started.
        python_threads: threads that Python knows.
    """

    count: int
    seconds: float
    memory: int
    handles: int
    threads: int
    python_threads: int


class Sampler:
    """Takes samples of this process."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._count, self._clock = 0, time.process_time()

    def take(self, count: int) -> None:
        """Take a sample after so many steps or compilations; garbage does not count."""
        now = time.process_time()
        seconds = (now - self._clock) / max(count - self._count, 1)
        gc.collect()
        memory = resident()
        handles = len(os.listdir(SELF / "fd")) - 1  # the folder itself is open
        threads = len(os.listdir(SELF / "task"))
        made = Sample(count, seconds, memory, handles, threads, threading.active_count())
        self.samples.append(made)
        self._count, self._clock = count, time.process_time()


def resident() -> int:
    """Return the resident bytes of this process."""
    return int((SELF / "statm").read_text("ascii").split()[1]) * PAGE


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples after the first fifth, in which caches and pools fill."""
    return list(samples[len(samples) // 5 :])


def growth(samples: Sequence[Sample]) -> float:
    """Return bytes per step or compilation, by the line through the settled samples.

    Example:
        >>> growth([Sample(n, 0.0, 5 * n, 0, 0, 0) for n in range(10)])
        5.0
    """
    kept = settled(samples)
    n = sum(each.count for each in kept) / len(kept)
    m = sum(each.memory for each in kept) / len(kept)
    spread = sum((each.count - n) ** 2 for each in kept)
    return sum((each.count - n) * (each.memory - m) for each in kept) / spread


def slowing(samples: Sequence[Sample]) -> float:
    """Return the median time of the last half of the settled samples over that of the first."""
    kept = [each.seconds for each in settled(samples)]
    middle = len(kept) // 2
    return median(kept[middle:]) / median(kept[:middle])
