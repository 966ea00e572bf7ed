"""The one assertion of the suite: it always asserts, and says where and by how much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dnnbridge.arrays import Array


def mixed_error(actual: Array, expected: Array) -> npt.NDArray[np.float64]:
    """Return |actual - expected| / (1 + |expected|); equal infinities and NaNs count as 0."""
    a, e = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    with np.errstate(invalid="ignore"):
        error = np.abs(a - e) / (1.0 + np.abs(e))
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


def assert_close(actual: Array, expected: Array, tolerance: float, what: str) -> None:
    """Raise AssertionError unless shapes are equal and every mixed error is within the tolerance.

    Example:
        >>> assert_close(np.ones(3), np.ones(3), 1e-6, "ones")
    """
    assert np.shape(actual) == np.shape(expected), (
        f"{what}: shape {np.shape(actual)}, expected {np.shape(expected)}"
    )
    error = mixed_error(actual, expected)
    if not error.size:
        return
    worst = np.unravel_index(int(error.argmax()), error.shape)
    assert error[worst] <= tolerance, (
        f"{what}: error {error[worst]:.3g} > {tolerance:.3g} at {tuple(map(int, worst))}: "
        f"{np.asarray(actual)[worst]!r}, expected {np.asarray(expected)[worst]!r}"
    )


def relative_distance(actual: Array, expected: Array) -> float:
    """Return ‖actual - expected‖ / ‖expected‖ (L2)."""
    e = np.asarray(expected, np.float64)
    length = float(np.linalg.norm(e))
    return float(np.linalg.norm(np.asarray(actual, np.float64) - e)) / max(length, 1e-30)


def assert_near(actual: Array, expected: Array, tolerance: float, what: str) -> None:
    """Raise AssertionError unless the relative L2 distance is within the tolerance."""
    distance = relative_distance(actual, expected)
    assert distance <= tolerance, f"{what}: relative L2 distance {distance:.3g} > {tolerance:.3g}"
