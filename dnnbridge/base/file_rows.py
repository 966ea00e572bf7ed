"""`read_rows`: rows of equal size from a file, by their numbers, in few reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from dnnbridge.base.arrays import Array

GAP = 4096
"""Bytes between two rows that are read along: a second read would take longer."""

READ = 4 * 2**20
"""Bytes after which a read ends, where it does not read a single row."""


def read_rows(fill: Callable[[int, memoryview], None], size: int, wanted: Array) -> Array:
    """Return the bytes of some rows, (rows, size), in the given order.

    Rows near each other are one read, and reads go forwards through the file.

    Args:
        fill: fills memory with the bytes from a place on, counted from the first row.
        size: bytes of a row.
        wanted: numbers of rows, in any order, also repeated.

    Example:
        >>> def fill(place, memory):
        ...     memory[:] = bytes(range(place, place + len(memory)))
        >>> read_rows(fill, 2, np.array([3, 0]))
        array([[6, 7],
               [0, 1]], dtype=uint8)
    """
    made = np.empty((len(wanted), size), np.uint8)
    if not made.size:
        return made
    order = np.argsort(wanted, kind="stable")
    rows = wanted[order]
    apart = (np.diff(rows) - 1) * size > GAP
    filled = np.diff(rows // max(READ // size, 1)) > 0
    cuts = [0, *(np.flatnonzero(apart | filled) + 1).tolist(), len(rows)]
    memory, numbers = made.data.cast("B"), rows.tolist()
    for i, j in itertools.pairwise(cuts):
        first, count, places = numbers[i], numbers[j - 1] - numbers[i] + 1, order[i:j]
        k, steps = int(places[0]), np.arange(count)
        if np.array_equal(places - k, steps) and np.array_equal(rows[i:j] - first, steps):
            fill(first * size, memory[k * size : (k + count) * size])
            continue
        part = np.empty((count, size), np.uint8)
        fill(first * size, part.data.cast("B"))
        made[places] = part[rows[i:j] - first]
    return made
