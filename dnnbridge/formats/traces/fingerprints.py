"""Fingerprints of examples: whether two trainings saw the same ones, and in the same order.

Each number counts as float32, and the numbers of an example count in any order. So channels first
and channels last have the same fingerprint, and so have (n,) and (n, 1) and other dtypes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array

MOST_ROWS = 256
"""Examples of a batch that have a fingerprint of their own in a file."""

PART = 2**16
"""Numbers that are read at once."""

Words = npt.NDArray[np.uint64]


class BatchPrint(NamedTuple):
    """What a file knows of a batch.

    Attributes:
        size: examples.
        rows: fingerprints of the first `MOST_ROWS` examples, in order.
        together: of all examples, in any order.
    """

    size: int
    rows: tuple[str, ...]
    together: str


def batch_print(columns: Sequence[Array]) -> BatchPrint:
    """Return the fingerprint of a batch.

    Args:
        columns: inputs and labels, a row per example.
    """
    rows = _mixed_columns(columns)
    together = f"{int(_mixed(rows).sum(dtype=np.uint64)):016x}"
    return BatchPrint(len(rows), tuple(f"{int(r):016x}" for r in rows[:MOST_ROWS]), together)


def data_print(columns: Mapping[str, Any], most: int) -> dict[str, Any] | None:
    """Return the fingerprint of all examples, in any order; None if they are not in memory.

    Args:
        columns: by name.
        most: the most numbers that are read.
    """
    arrays = list(columns.values())
    if not all(isinstance(a, np.ndarray) and a.dtype.kind in "fiub" for a in arrays):
        return None
    if not arrays or sum(a.size for a in arrays) > most:
        return None
    sums = [0, 0]
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(-1)
        for begin in range(0, flat.size, PART):
            words = _bits(flat[begin : begin + PART])
            sums[0] += int(words.sum(dtype=np.uint64))
            sums[1] += int(np.square(words, dtype=np.uint64).sum(dtype=np.uint64))
    together = "".join(f"{each % 2**64:016x}" for each in sums)
    return {"count": len(arrays[0]), "together": together}


def _bits(array: Array) -> npt.NDArray[np.uint32]:
    """Return numbers as the bits of float32, where -0 is 0."""
    return (array.astype(np.float32) + np.float32(0)).view(np.uint32)


def _mixed_columns(columns: Sequence[Array]) -> Words:
    rows = np.zeros(len(columns[0]) if columns else 0, np.uint64)
    for number, column in enumerate(columns):
        bits = _bits(np.asarray(column).reshape(len(column), -1))
        words = _mixed(bits.astype(np.uint64) + np.uint64(number << 32))
        rows = _mixed(rows) + words.sum(1, dtype=np.uint64)
    return rows


def _mixed(words: Words) -> Words:
    """Return numbers of 64 bits whose bits all depend on those of the given ones (splitmix64)."""
    z = words + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
