"""Sizes that a file states are checked before memory is taken."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

AXES = 32
"""Most axes of an array in NumPy 1."""

UNPACKED = 1 << 10
"""A compressed file may hold at most this many times its size."""


def count_of(shape: Sequence[int]) -> int:
    """Return how many numbers an array of this shape has.

    Raises:
        ValueError: it has more axes than an array may have, or a size below 0.

    Example:
        >>> count_of((2, 3))
        6
    """
    if len(shape) > AXES:
        raise ValueError(f"{len(shape)} axes; an array has at most {AXES}")
    if min(shape, default=0) < 0:
        raise ValueError(f"a size below 0 in the shape {tuple(shape)}")
    return prod(shape)


def check_unpacked(unpacked: int, packed: int, name: str) -> None:
    """Raise if a compressed file would hold far more than its size.

    Args:
        unpacked: bytes of the content, as the file says.
        packed: bytes of the file.
        name: what is compressed.

    Raises:
        ValueError: it would.

    Example:
        >>> check_unpacked(2000, 1000, "x.npy")
        >>> check_unpacked(10**9, 1000, "x.npy")
        Traceback (most recent call last):
        ValueError: x.npy would have 1,000,000,000 bytes, 1024 times as many as 1,000 or more
    """
    if unpacked > UNPACKED * packed:
        raise ValueError(
            f"{name} would have {unpacked:,} bytes, {UNPACKED} times as many as {packed:,} or more"
        )
