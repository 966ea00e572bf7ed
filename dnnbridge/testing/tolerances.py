"""How far a result may be from the float64 reference, derived in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable

EPSILON = 2.0**-23
"""Spacing of float32 numbers at 1."""

SMALLEST = 2.0**-126
"""Smallest positive number that backends must not read as 0."""

DOUBLE_EPSILON = 2.0**-52
"""Spacing of float64 numbers at 1."""

DOUBLE_SAMPLED = 2.0**-50
"""Spacing of random roundings in float64: adding half of 2**-52 to 1 would change nothing."""

LOWER_ROUNDINGS = 2.0
"""Number of roundings to a lower type allowed in one result. An operation of a lower type computes
with the digits of float32 and rounds once, so its result may be a neighbour of the right number, if
the exact one is nearly halfway; nothing else may differ."""

ROUNDINGS = 16.0
"""Number of roundings allowed in an elementwise result, transcendental functions included."""

TF32 = 2.0**-10
"""Spacing of TF32 numbers at 1. GPUs since Ampere can round both factors of a product to them, each
by up to half a spacing."""

TRAJECTORY = 1e-5
"""Relative L2 distance allowed for the weights of a smooth net after up to 200 steps."""

UPDATES = 1e-6
"""Relative L2 distance allowed for a parameter and its slots after 300 updates with the gradients
of the cases."""

OTHER_NUMBERS = 2.0
"""Factor on `UPDATES` for the numbers of another seed. Each update rounds by up to half a spacing.
These errors add up like a random walk to 1e-6. NumPy in float32 has up to 1.4e-6, depending on the
numbers drawn."""

OTHER_EXAMPLES = 3.0
"""Factor on `TRAJECTORY` and `LOSS_CURVE` for the examples and weights of another seed. Some seeds
amplify rounding more than the cases do: in 20 seeds NumPy in float32 has up to 2.1e-5, in the
velocity of a normalisation next to an attention."""

ONE_STEP = 2e-6
"""Relative L2 distance allowed for the gradients of one step from the same state."""

ONE_STEP_NORMALISED = 5e-6
"""The same with convolutions and a BatchNormalization, which subtracts the mean."""

ONE_STEP_GATED = 5e-6
"""The same with the gates of two recurrences. MindSpore has an error of 2.3e-6, because its sigmoid
has a relative error of 2.3e-6 and its exp one of 4.5e-6. The same training in NumPy float32 has
8.2e-7. With MindSpore's sigmoid in place of NumPy's it has 2.3e-6, at the same array and step; with
MindSpore's exp in both gates 1.0e-5; with the tanh of the backend 7.1e-7. TensorFlow has 1.1e-6."""

ONE_STEP_LOSS = 1e-6
"""Error allowed for the loss of such a step, relative to 1 + |loss|."""

LOSS_CURVE = 1e-5
"""Error allowed for the losses of a whole training, relative to 1 + |loss|."""


def elementwise(reduced: int = 1, spacing: float = EPSILON) -> float:
    """Return the tolerance of |actual - expected| / (1 + |expected|).

    Args:
        reduced: number of terms summed into one element; their errors add up like a random walk.
        spacing: distance of the numbers at 1.

    Example:
        >>> elementwise(100) == 10 * elementwise()
        True
    """
    return ROUNDINGS * spacing * math.sqrt(reduced)


def tf32(reduced: int = 1) -> float:
    """Return the tolerance of a product whose factors a GPU has rounded to TF32.

    The suite does not use it: without TF32, which is off unless the user asks for it, a GPU is as
    exact as `elementwise` asks.

    Args:
        reduced: number of products summed into one element, of numbers of the size of 1.

    Example:
        >>> tf32(100) == 10 * tf32()
        True
        >>> tf32() > 500 * elementwise()
        True
    """
    return TF32 * math.sqrt(reduced)


def programs(
    rounded: Iterable[float], roundings: float = ROUNDINGS, spacing: float = EPSILON
) -> float:
    """Return the relative L2 distance allowed for one step of a training.

    Every operation may have an error of `roundings` spacings. To first order, the error of a step
    is proportional to the errors of its operations. Trainings with one random rounding per
    operation measure the factor.

    Args:
        rounded: distances of trainings with random roundings from the exact one.
        roundings: spacings that an operation may be off.
        spacing: distance of the numbers at 1.
    """
    return roundings * max(rounded) + spacing
