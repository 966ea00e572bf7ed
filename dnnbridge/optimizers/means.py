"""The running mean that optimizers keep."""

from __future__ import annotations

import numpy as np

from dnnbridge.graph import Operand, Value


def toward(mean: Value, x: Value, share: Operand) -> Value:
    """Return mean + share · (x - mean): the mean with decay 1 - share.

    decay · mean + (1 - decay) · x is mathematically equal. But float32 rounds a decay of 0.999 by
    1.3e-8, and a term that is n steps old is then wrong by n times that. The rounding of the
    share, 0.001, does not grow.
    """
    return mean + share * (x - mean)


def nearest_float32(decay: float) -> float:
    """Return a decay rounded to float32; from 1/2 on, 1 - decay is then exact in float32 too.

    Example:
        >>> nearest_float32(0.999)
        0.9990000128746033
    """
    return float(np.float32(decay))
