"""`Times`: what the workers measured on one backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from scaling.fitting import compute_of, link_of
from scaling.model import Compute, Link

STEPS = 4
"""Steps of a turn."""

SUMS = "sums"
"""The name of the sums alone, beside the names of the nets."""


class Times:
    """Seconds of a step on one backend, by net and case; see `scaling.worker`.

    Args:
        seconds: net -> case -> the seconds in each turn.
        load: mean number of waiting or running tasks of the machine before the measurement.

    Example:
        >>> times = Times({"lstm": {"one 64": [4.0, 6.0], "two 64": [2.0, 4.0]}}, load=0.0)
        >>> times.ratio("lstm", "one 64", "two 64")
        1.75
        >>> times.of("lstm", "one 64")
        4.0
    """

    def __init__(self, seconds: Mapping[str, Mapping[str, Sequence[float]]], load: float) -> None:
        self._seconds, self.load = seconds, load

    @property
    def turns(self) -> int:
        """The number of turns of each case."""
        return len(next(iter(self._seconds[SUMS].values())))

    def of(self, net: str, case: str) -> float:
        """Return the lower quartile of the turns: other work only ever makes them longer."""
        found = sorted(self._seconds[net][case])
        return found[len(found) // 4]

    def ratio(self, net: str, case: str, other: str) -> float:
        """Return the median of case over other, each pair from one turn."""
        found = self._seconds[net]
        return median(a / b for a, b in zip(found[case], found[other], strict=True))

    def difference(self, net: str, case: str, other: str) -> float:
        """Return case less other, the lower quartiles of both."""
        return self.of(net, case) - self.of(net, other)

    def compute(self, net: str) -> Compute:
        """Return what one worker computes, from its steps of different rows."""
        return compute_of({float(rows): self.of(net, f"one {rows}") for rows in self._rows(net)})

    def sums(self) -> dict[int, float]:
        """Return the seconds of a sum over two workers, by its bytes."""
        found = self._seconds[SUMS]
        sizes = [int(case.split()[1]) for case in found if case.startswith("two ")]
        return {n: self.difference(SUMS, f"two {n}", f"one {n}") for n in sizes}

    def link(self) -> Link:
        """Return what joins the two workers."""
        return link_of("loopback", {float(n): seconds for n, seconds in self.sums().items()})

    def _rows(self, net: str) -> list[int]:
        return [int(case.split()[1]) for case in self._seconds[net] if case.startswith("one ")]
