"""Windows that move over spatial axes: their padding and their number of places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Dim
from dnnbridge.graph.types import shape_text

Pairs = tuple[tuple[int, int], ...]
"""Number of elements added (before, after) each axis."""

Padding = Literal["valid", "same", "causal"] | Pairs

Index = tuple[slice, ...]


def pad_pairs(
    padding: Padding,
    sizes: Sequence[Dim],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> Pairs:
    """Return a padding as pairs; only this function defines the names of paddings.

    "valid" means no padding. "same" gives ⌈n / stride⌉ outputs; an odd element goes after. "causal"
    puts all padding before, so that no output depends on a later input.
    """
    if not isinstance(padding, str):
        return padding
    return tuple(
        _pair(padding, int(n or 0), (k - 1) * d + 1, s)
        for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)
    )


def _pair(padding: str, size: int, extent: int, stride: int) -> tuple[int, int]:
    if padding == "causal":
        return extent - 1, 0
    if padding == "valid":
        return 0, 0
    total = max((math.ceil(size / stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def places(
    what: str,
    sizes: Sequence[Dim],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Return the number of places of a window along each axis.

    Raises:
        ShapeError: the numbers of axes differ, or the window does not fit.
    """
    attributes = (window, strides, padding, dilation)
    if None in sizes or {len(sizes)} != {len(each) for each in attributes}:
        raise ShapeError(
            f"{what} takes (batch, *spatial, channels) with {len(window)} spatial axes",
            got=f"spatial sizes ({shape_text(tuple(sizes))})",
            hint="Give the input as many spatial axes as the window has.",
        )
    made = tuple(
        (int(n or 0) + sum(pair) - (k - 1) * d - 1) // s + 1
        for n, k, s, pair, d in zip(sizes, window, strides, padding, dilation, strict=True)
    )
    if min(made) < 1:
        raise ShapeError(
            f"the window of {what} is larger than its input",
            got=f"window {tuple(window)}, dilation {tuple(dilation)}, padding {padding} "
            f"for spatial sizes ({shape_text(tuple(sizes))})",
            hint='Use padding="same", a smaller window, or a larger input.',
        )
    return made


def offsets(
    window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], made: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Index]]:
    """Yield each element of a window, and its positions in the padded input for all places."""
    for offset in np.ndindex(*window):
        axes = zip(offset, strides, dilation, made, strict=True)
        yield (
            offset,
            (slice(None), *(slice(k * d, k * d + (n - 1) * s + 1, s) for k, s, d, n in axes)),
        )


def padded(x: Array, padding: Pairs, value: float = 0.0) -> Array:
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def cropped(x: Array, padding: Pairs) -> Array:
    sizes = x.shape[1:-1]
    inside = (slice(a, n - b) for (a, b), n in zip(padding, sizes, strict=True))
    return np.asarray(x[(slice(None), *inside)])
