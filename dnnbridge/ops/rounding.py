"""`rounded`: numbers of a type with fewer digits than float32, held in float64."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import DType


class Digits(NamedTuple):
    """The numbers of a type: ±m · 2^(e - bits) for whole numbers m up to 2^bits.

    Attributes:
        bits: digits of m, the first of which is not stored.
        least: the smallest e.
        largest: the largest finite number.
    """

    bits: int
    least: int
    largest: float

    @property
    def spacing(self) -> float:
        """The distance from 1 to the next larger number."""
        return 2.0 ** (1 - self.bits)

    @property
    def normal(self) -> tuple[float, float]:
        """The smallest number that has all digits, and the largest number."""
        return 2.0 ** (self.least - 1), self.largest


DIGITS: dict[DType, Digits] = {
    "float16": Digits(11, -13, 65504.0),
    "bfloat16": Digits(8, -125, 2.0**128 - 2.0**120),
}
"""The numbers of each lower type; denormal numbers are included."""


def rounded(x: Array, dtype: DType) -> Array:
    """Return the nearest numbers of a type in float64; of two, the one whose last digit is even.

    A number beyond the largest becomes infinite. Other types than those of `DIGITS` change nothing.

    Example:
        >>> rounded(np.array([2049.0, 65520.0]), "float16"), rounded(np.array(257.0), "bfloat16")
        (array([2048.,   inf]), array(256.))
    """
    if dtype not in DIGITS:
        return x
    bits, least, largest = DIGITS[dtype]
    with np.errstate(invalid="ignore", over="ignore"):
        exponent = np.maximum(np.frexp(x)[1], least) - bits
        made = np.ldexp(np.rint(np.ldexp(x, -exponent)), exponent)
        made = np.where(np.isfinite(x), made, x)
        return np.asarray(np.where(np.abs(made) > largest, np.copysign(np.inf, x), made))
