"""The running mean that optimizers keep."""

from __future__ import annotations

from dnnbridge.graph import Operand, Value


def toward(mean: Value, x: Value, share: Operand) -> Value:
    """Return mean + share · (x - mean): the mean with decay 1 - share.

    decay · mean + (1 - decay) · x is the same number, but float32 rounds a decay of 0.999 by
    1.3e-8, and what is n steps old is then wrong by n times that. The rounding of the share,
    0.001, does not grow.
    """
    return mean + share * (x - mean)
