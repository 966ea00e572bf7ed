"""Checks of array elements that report the position of the first wrong element."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DataError


def check_rows(
    array: Array,
    wrong: Callable[[Array], Array],
    where: str,
    what: str,
    hint: str = "Clean the data before training.",
) -> None:
    """Raise with the index and value of the first wrong element."""
    found = wrong(array)
    if found.any():
        index = tuple(int(i) for i in np.argwhere(found)[0])
        raise DataError(
            what,
            where=f"{where}[{', '.join(map(str, index))}]",
            got=f"{array[index]} ({int(found.sum())} such elements in total)",
            hint=hint,
        )


def within(array: Array, low: float, high: float) -> bool:
    """Return whether all elements lie between two numbers; NaN does not."""
    return not array.size or bool(array.min() >= low and array.max() <= high)
