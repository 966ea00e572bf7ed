"""Arrays from bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dnnbridge.base.arrays import Array


def as_float32(content: bytes, dtype: str, shape: Sequence[int]) -> Array:
    """Return an array; bfloat16, which NumPy lacks, becomes float32.

    Example:
        >>> as_float32(bytes([0xC0, 0x3F]), "bfloat16", (1,))
        array([1.5], dtype=float32)
    """
    if dtype != "bfloat16":
        return np.frombuffer(content, dtype).reshape(shape).copy()
    upper = np.frombuffer(content, "<u2").astype(np.uint32) << 16
    return upper.view(np.float32).reshape(shape)
