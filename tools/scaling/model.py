"""A model of the time of a training step with n workers: computing, then sums over all workers.

    step(n) = fixed + row · rows + Σ all_reduce(n, bytes)

Two ways to sum `bytes` over n workers, each with a link of latency `a` and bandwidth `B`:

    ring       2 (n - 1) a + 2 (n - 1)/n · bytes/B
               Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
               workstations", 2009
    doubling   log2(n) · (a + bytes/B)
               recursive doubling: Thakur, Rabenseifner and Gropp, "Optimization of collective
               communication operations in MPICH", 2005

A ring is best for large messages, doubling for small ones. Adding the numbers takes no time here,
all links work at once, and sums begin when the step has been computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """What joins two workers.

    Attributes:
        name: for tables.
        bandwidth: bytes per second, in each direction.
        latency: seconds until the first byte of a message has come.
    """

    name: str
    bandwidth: float
    latency: float


@dataclass(frozen=True)
class Compute:
    """The seconds that one worker computes in a step: a part of each step and one of each row.

    Example:
        >>> Compute(0.5, 0.25).step(2)
        1.0
    """

    fixed: float
    row: float

    def step(self, rows: int) -> float:
        """Return the seconds of a step of so many rows."""
        return self.fixed + self.row * rows

    def faster(self, times: float) -> Compute:
        """Return what takes a part of the time, as on a faster processor."""
        return Compute(self.fixed / times, self.row / times)


Sum = Callable[[int, float, Link], float]
"""(workers, bytes, link) -> seconds"""


def ring(workers: int, size: float, link: Link) -> float:
    """Return the seconds of a sum of `size` bytes over all workers in a ring.

    Example:
        >>> ring(4, 100.0, Link("slow", bandwidth=50.0, latency=1.0))
        9.0
    """
    n = workers
    return 2 * (n - 1) * link.latency + 2 * (n - 1) / n * size / link.bandwidth


def doubling(workers: int, size: float, link: Link) -> float:
    """Return the seconds of the same by recursive doubling.

    A number of workers that is no power of 2 takes two rounds more than the power below it.

    Example:
        >>> doubling(4, 100.0, Link("slow", bandwidth=50.0, latency=1.0))
        6.0
    """
    rounds = workers.bit_length() - 1
    rounds += 2 if workers != 1 << rounds else 0
    return rounds * (link.latency + size / link.bandwidth)


def best(workers: int, size: float, link: Link) -> float:
    """Return the less of both, as libraries choose the way by the size of a message."""
    return min(ring(workers, size, link), doubling(workers, size, link))


@dataclass(frozen=True)
class Training:
    """A training of several workers.

    Attributes:
        compute: what a worker computes.
        messages: bytes of each sum in a step.
        link: between the workers.
        sum: how they sum.
    """

    compute: Compute
    messages: Sequence[float]
    link: Link
    sum: Sum = best

    def step(self, workers: int, rows: int) -> float:
        """Return the seconds of a step in which each worker has so many rows."""
        summing = sum(self.sum(workers, size, self.link) for size in self.messages)
        return self.compute.step(rows) + summing

    def strong(self, workers: int, batch: int) -> float:
        """Return the efficiency with a batch of a fixed size, of which each worker has a part.

        It is throughput(n) / (n · throughput(1)): 1.0 if n workers are n times as fast.
        """
        rows = -(-batch // workers)
        return self.step(1, batch) / (workers * self.step(workers, rows))

    def weak(self, workers: int, rows: int) -> float:
        """Return the efficiency with so many rows for each worker."""
        return self.step(1, rows) / self.step(workers, rows)
