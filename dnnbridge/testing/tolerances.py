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
gradients, with the numbers of the cases."""

OTHER_NUMBERS = 2.0
"""Factor on that with numbers of another seed. Each update rounds by up to half a spacing, which
add up like a random walk to 1e-6; NumPy in float32 has up to 1.4e-6, by the numbers drawn."""

OTHER_EXAMPLES = 3.0
"""Factor on `TRAJECTORY` and `LOSS_CURVE` with examples and weights of another seed, some of which
amplify roundings more than those of the cases: NumPy in float32 has up to 2.1e-5 in 20 seeds, in
the velocity of a normalisation beside an attention."""

ONE_STEP = 2e-6
"""Relative L2 distance allowed for the gradients of one step from the same state."""

ONE_STEP_NORMALISED = 5e-6
"""The same behind convolutions and a BatchNormalization, which subtracts the mean."""

ONE_STEP_GATED = 5e-6
"""The same behind the gates of two recurrences. MindSpore is 2.3e-6 off, and its sigmoid is why: it
is good to 2.3e-6 relative, as its exp is to 4.5e-6. The same training in NumPy float32 is 8.2e-7
off; with MindSpore's sigmoid in place of NumPy's it is 2.3e-6 off, at the same array and step; with
its exp in both gates 1.0e-5; with the tanh of the backend, which takes expm1, 7.1e-7. TensorFlow
has 1.1e-6."""

ONE_STEP_LOSS = 1e-6
"""Relative distance allowed for the loss of such a step."""

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
