"""How far a float32 result may be from the float64 reference, derived in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable

EPSILON = 2.0**-23
"""Spacing of float32 numbers at 1."""

SMALLEST = 2.0**-126
"""Smallest number that backends must tell from 0: frameworks may read what is below as 0."""

ROUNDINGS = 16.0
"""Roundings allowed in an elementwise result, its transcendental functions included."""

TRAJECTORY = 1e-5
"""Relative L2 distance allowed for the weights of a smooth net after up to 200 steps."""

UPDATES = 1e-6
"""Relative L2 distance allowed for a parameter and its slots after 300 updates that are given the
gradients."""

LOSS_CURVE = 1e-5
"""Relative distance allowed for the losses of such a training."""


def elementwise(reduced: int = 1) -> float:
    """Return the tolerance of |actual - expected| / (1 + |expected|).

    Args:
        reduced: number of terms summed into one element; their errors add up like a random walk.

    Example:
        >>> elementwise(100) == 10 * elementwise()
        True
    """
    return ROUNDINGS * EPSILON * math.sqrt(reduced)


def programs(rounded: Iterable[float]) -> float:
    """Return the relative L2 distance allowed for one step of a training.

    Every operation may be off by `ROUNDINGS` spacings. To first order an error grows with those
    of the operations, so a training with one random rounding an operation says how much.

    Args:
        rounded: distances that trainings with random roundings have from the exact one.
    """
    return ROUNDINGS * max(rounded) + EPSILON
