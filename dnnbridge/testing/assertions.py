"""The assertions of the suite. They raise AssertionError, even under `python -O`."""

from __future__ import annotations

from dnnbridge.base.arrays import Array
from dnnbridge.testing.measurement import Measurement, close, near


def require(measurement: Measurement) -> None:
    """Raise AssertionError unless the error is within its tolerance."""
    if not measurement.ok:
        raise AssertionError(str(measurement))


def assert_close(actual: Array, expected: Array, tolerance: float, what: str) -> None:
    """Raise AssertionError unless shapes are equal and every mixed error is within the tolerance.

    Example:
        >>> import numpy as np
        >>> assert_close(np.ones(3), np.ones(3), 1e-6, "ones")
    """
    require(close(actual, expected, tolerance, what))


def assert_near(actual: Array, expected: Array, tolerance: float, what: str) -> None:
    """Raise AssertionError unless the relative L2 distance is within the tolerance."""
    require(near(actual, expected, tolerance, what))
