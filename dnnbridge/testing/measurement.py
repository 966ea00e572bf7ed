"""`Measurement`: the error of a result and its tolerance."""

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
        what: name of the result.
        error: 0 if equal; infinite if shapes differ or a number is unexpectedly NaN.
        tolerance: the largest error that is allowed.
        detail: where the error is largest, and the two numbers there.
        note: text to report even if the error is within its tolerance, such as a flip.
        curve: the error of every step of a training.
        declared: the backend's declared reason for exceeding the tolerance; empty if none.
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
        """Error over tolerance, at most 1 if it passes. With tolerance 0 it is 0 or infinite."""
        if self.tolerance and not math.isnan(self.error):
            return self.error / self.tolerance
        return 0.0 if self.ok else math.inf

    def __str__(self) -> str:
        sign = "<=" if self.ok else ">"
        text = f"{self.what}: error {self.error:.3g} {sign} {self.tolerance:.3g}"
        return f"{text} {self.detail}".rstrip()


def worst_of(measurements: Iterable[Measurement]) -> Measurement | None:
    """Return the measurement with the largest share of its tolerance.

    Among equal shares, it is the one with the largest tolerance.
    """
    return max(measurements, key=lambda each: (each.share, each.tolerance), default=None)


def mixed_error(
    actual: Array, expected: Array, unit: Array | None = None
) -> npt.NDArray[np.float64]:
    """Return |actual - expected| / unit; equal infinities, and two NaNs, give 0.

    Numbers beyond the range of float32 count as infinite, also in float64. The unit is
    1 + |expected| by default; `unit` gives another for each element.
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
        actual: the computed array.
        expected: the right array.
        tolerance: the largest error that is allowed.
        what: name of the result.
        other: an alternative right value of each element, such as the result for denormals
            read as 0.
        unit: the unit of the error of each element, by default 1 + |expected|.
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
    """Measure whether two arrays are equal: the error is the number of elements that differ."""
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
