"""`Measurement`: how far a result is from what it should be, and how far it may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array


@dataclass(frozen=True)
class Measurement:
    """An error and its tolerance.

    Attributes:
        what: which result.
        error: 0 for equal; infinite where shapes differ or a number is NaN that should not be.
        tolerance: the largest error that is allowed.
        detail: where the error is largest, and the two numbers there.
        note: what to tell even where the error is within its tolerance, such as a flip.
        curve: the error of every step of a training.
        declared: why it is beyond its tolerance, where the backend declares that it is.
    """

    what: str
    error: float
    tolerance: float
    detail: str = ""
    note: str = ""
    curve: tuple[float, ...] = ()
    declared: str = ""

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance

    @property
    def share(self) -> float:
        """How much of the tolerance is used: at most 1 where it is kept, infinite beyond 0."""
        if self.tolerance and not math.isnan(self.error):
            return self.error / self.tolerance
        return 0.0 if self.ok else math.inf

    def __str__(self) -> str:
        sign = "<=" if self.ok else ">"
        text = f"{self.what}: error {self.error:.3g} {sign} {self.tolerance:.3g}"
        return f"{text} {self.detail}".rstrip()


def worst_of(measurements: Iterable[Measurement]) -> Measurement | None:
    """Return what uses most of its tolerance; of several that use none, one that has some."""
    return max(measurements, key=lambda each: (each.share, each.tolerance), default=None)


def mixed_error(
    actual: Array, expected: Array, unit: Array | None = None
) -> npt.NDArray[np.float64]:
    """Return |actual - expected| / unit; equal infinities and NaNs count as 0.

    What float32 has no number for is infinite, in float64 too. The unit is 1 + |expected|, unless
    another is given for each element.
    """
    a, e = (_within_float32(np.asarray(x, np.float64)) for x in (actual, expected))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(a - e) / (1.0 + np.abs(e) if unit is None else unit)
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


def _within_float32(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.where(np.isinf(x.astype(np.float32)), np.copysign(np.inf, x), x)


def relative_distance(actual: Array, expected: Array) -> float:
    """Return ‖actual - expected‖ / ‖expected‖ (L2)."""
    e = np.asarray(expected, np.float64)
    length = float(np.linalg.norm(e))
    return float(np.linalg.norm(np.asarray(actual, np.float64) - e)) / max(length, 1e-30)


def close(
    actual: Array,
    expected: Array,
    tolerance: float,
    what: str,
    other: Array | None = None,
    unit: Array | None = None,
) -> Measurement:
    """Measure the largest mixed error of an element.

    Args:
        actual: what was computed.
        expected: what it should be.
        tolerance: the largest error that is allowed.
        what: which result.
        other: what each element may be instead, such as the result for denormals read as 0.
        unit: what the error of each element is measured in, by default 1 + |expected|.
    """
    if np.shape(actual) != np.shape(expected):
        return _misshapen(actual, expected, tolerance, what)
    error = mixed_error(actual, expected, unit)
    if other is not None:
        error = np.minimum(error, mixed_error(actual, other, unit))
    if not error.size:
        return Measurement(what, 0.0, tolerance)
    worst = tuple(map(int, np.unravel_index(int(error.argmax()), error.shape)))
    numbers = f"{np.asarray(actual)[worst]!r}, expected {np.asarray(expected)[worst]!r}"
    return Measurement(what, float(error[worst]), tolerance, f"at {worst}: {numbers}")


def near(actual: Array, expected: Array, tolerance: float, what: str) -> Measurement:
    """Measure the relative L2 distance."""
    if np.shape(actual) != np.shape(expected):
        return _misshapen(actual, expected, tolerance, what)
    distance = relative_distance(actual, expected)
    return Measurement(what, np.inf if np.isnan(distance) else distance, tolerance)


def same(actual: Array, expected: Array, what: str) -> Measurement:
    """Measure whether all bits agree: the error is the number of elements that differ."""
    if np.shape(actual) != np.shape(expected):
        return _misshapen(actual, expected, 0.0, what)
    a, e = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    differ = np.argwhere(~((a == e) | (np.isnan(a) & np.isnan(e))))
    if not len(differ):
        return Measurement(what, 0.0, 0.0)
    first = tuple(map(int, differ[0]))
    numbers = f"{a[first]!r}, expected {e[first]!r}"
    return Measurement(what, float(len(differ)), 0.0, f"first at {first}: {numbers}")


def holds(condition: bool, what: str, detail: str = "") -> Measurement:
    """Measure whether a condition holds."""
    return Measurement(what, 0.0 if condition else 1.0, 0.0, detail)


def _misshapen(actual: Array, expected: Array, tolerance: float, what: str) -> Measurement:
    shapes = f"shape {np.shape(actual)}, expected {np.shape(expected)}"
    return Measurement(what, np.inf, tolerance, shapes)
