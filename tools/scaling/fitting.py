"""Find the numbers of the model from measured times."""

from __future__ import annotations

from collections.abc import Mapping

from scaling.model import Compute, Link


def line(points: Mapping[float, float]) -> tuple[float, float]:
    """Return a and b of y = a + b x with the least squares of relative errors, neither below 0.

    Example:
        >>> line({1.0: 4.0, 3.0: 4.0})
        (4.0, 0.0)
    """
    weights = {x: 1 / y**2 for x, y in points.items()}
    total = sum(weights.values())
    middle = sum(w * x for x, w in weights.items()) / total
    height = sum(w * points[x] for x, w in weights.items()) / total
    spread = sum(w * (x - middle) ** 2 for x, w in weights.items())
    slope = sum(w * (x - middle) * points[x] for x, w in weights.items()) / spread
    start = height - slope * middle
    if slope < 0:
        return height, 0.0
    if start < 0:
        by_x = sum(w * x * points[x] for x, w in weights.items())
        return 0.0, by_x / sum(w * x * x for x, w in weights.items())
    return start, slope


def compute_of(steps: Mapping[float, float]) -> Compute:
    """Return the time of computing from that of steps with one worker, by their rows."""
    return Compute(*line(steps))


def link_of(name: str, sums: Mapping[float, float]) -> Link:
    """Return the link from the times of sums over two workers, by their bytes.

    A ring of two takes 2 a + bytes/B.
    """
    start, slope = line(sums)
    return Link(name, 1 / slope if slope else float("inf"), start / 2)
