"""Numbers that stand for an array in a trace: statistics, and a sketch of 16 signed sums.

The sketch is a linear map of the array: the difference of two sketches is the sketch of the
difference, and its Euclidean norm estimates that of the difference, within about a fifth (the
"tug of war" sketch; Alon, Matias & Szegedy, 1996). So two files tell how far two arrays are apart,
not only whether their norms differ. Arrays of up to 16 numbers are in their sketch whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array

NAMES = ("norm", "mean", "std", "min", "max", "zeros", "nonfinite")
"""The statistics of a row, before its sketch. `zeros` is a share, `nonfinite` a count."""

NORM, NONFINITE = NAMES.index("norm"), NAMES.index("nonfinite")

SUMS = 16
"""Numbers of a sketch."""

WIDTH = len(NAMES) + SUMS

PERIOD = 2**20
"""How many signs there are; each further stretch of an array has them with a sign of its own."""

Row = npt.NDArray[np.float64]


@cache
def _signs() -> npt.NDArray[np.float64]:
    """Return signs that are the same with every version of NumPy."""
    made = hashlib.shake_128(b"dnnbridge trace").digest(PERIOD // 8)
    return 1.0 - 2.0 * np.unpackbits(np.frombuffer(made, np.uint8))


def _sign_of(stretch: int) -> int:
    return 1 - 2 * (hashlib.shake_128(b"stretch %d" % stretch).digest(1)[0] & 1)


def row(array: Array) -> Row:
    """Return the statistics and the sketch of an array, in float64.

    Numbers that are not finite are counted, and are 0 in all else.

    Example:
        >>> made = row(np.array([[3.0, -4.0]], np.float32))
        >>> dict(zip(NAMES, made.tolist()))["norm"]
        5.0
    """
    flat = np.asarray(array).reshape(-1)
    made = np.zeros(WIDTH)
    if not flat.size:
        return made
    total = squares = apart = zeros = bad = 0.0
    low, high = np.inf, -np.inf
    center = 0.0
    for number, part in enumerate(_parts(flat)):
        with np.errstate(over="ignore", invalid="ignore"):
            whole = np.isfinite(part.sum())
        if not whole and not (finite := np.isfinite(part)).all():
            bad += part.size - int(finite.sum())
            part = np.where(finite, part, 0.0)
        center = float(part.mean()) if not number else center
        with np.errstate(over="ignore"):
            total += float(part.sum())
            squares += float(part @ part)
            away = part - center
            apart += float(away @ away)
        zeros += part.size - int(np.count_nonzero(part))
        low, high = min(low, float(part.min())), max(high, float(part.max()))
        even = part.size - part.size % SUMS
        sums = np.einsum("ij,ij->j", *(x[:even].reshape(-1, SUMS) for x in (part, _signs())))
        sums[: part.size - even] += part[even:] * _signs()[even : part.size]
        made[len(NAMES) :] += _sign_of(number) * sums
    mean = total / flat.size
    variance = max(apart / flat.size - (mean - center) ** 2, 0.0)
    made[: len(NAMES)] = (
        *(np.sqrt(squares), mean, np.sqrt(variance)),
        *(low, high, zeros / flat.size, bad),
    )
    return made


def _parts(flat: Array) -> Iterator[npt.NDArray[np.float64]]:
    for begin in range(0, flat.size, PERIOD):
        yield np.asarray(flat[begin : begin + PERIOD], np.float64)


def distance(a: Row, b: Row) -> float:
    """Return about how far two arrays are apart, by their rows: a Euclidean norm."""
    return float(np.linalg.norm(a[len(NAMES) :] - b[len(NAMES) :]))


def unlike(a: Row, b: Row) -> float:
    """Return how far apart two arrays are at least, if the order of their numbers is not known."""
    return float(abs(a[NORM] - b[NORM]))
