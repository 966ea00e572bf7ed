"""`Dataset`: examples and labels, in a part to train on and a part to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError

TEST_EVERY = 5
"""One example of this many is for testing, where a source does not say."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Arrays with one row per example.

    Attributes:
        name: what to call it in messages.
        x_train: examples to train on; images are float32 from 0 to 1.
        y_train: their labels.
        x_test: examples to test with.
        y_test: their labels.

    Example:
        >>> from dnnbridge.datasets import load_dataset
        >>> digits = load_dataset("digits")
        >>> digits.x_train.shape, digits.x_test.shape, digits.classes
        ((1438, 8, 8), (359, 8, 8), 10)
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if not x.ndim or not y.ndim or len(x) != len(y) or not len(x):
                raise DataError(
                    "need the same, non-zero number of rows",
                    where=f"{self.name}: x_{part} and y_{part}",
                    got=f"shapes {x.shape} and {y.shape}",
                    hint="Give one label per example.",
                )

    @property
    def classes(self) -> int | None:
        """One more than the largest label; None if labels are not whole numbers."""
        parts = (self.y_train, self.y_test)
        if not all(np.issubdtype(y.dtype, np.integer) for y in parts):
            return None
        return int(max(y.max() for y in parts)) + 1


def split(name: str, x: Array, y: Array) -> Dataset:
    """Return a data set that tests on every fifth example, without randomness.

    If `y` is a list of whole numbers, examples are counted class by class, so that every class
    has its share. Otherwise they are counted in the given order. Both parts keep the given order.

    Example:
        >>> import numpy as np
        >>> parts = split("ten", np.arange(10.0), np.arange(10) % 2)
        >>> parts.x_test
        array([8., 9.])
    """
    if not x.ndim or not y.ndim or len(x) != len(y) or len(x) < TEST_EVERY:
        raise DataError(
            f"x and y need the same number of rows, at least {TEST_EVERY}, to be split",
            where=name,
            got=f"shapes {x.shape} and {y.shape}",
            hint="Give x_train, y_train, x_test and y_test instead.",
        )
    by_class = y.ndim == 1 and np.issubdtype(y.dtype, np.integer)
    order = np.argsort(y, kind="stable") if by_class else np.arange(len(x))
    test = np.zeros(len(x), bool)
    test[order[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return Dataset(name, x[~test], y[~test], x[test], y[test])
