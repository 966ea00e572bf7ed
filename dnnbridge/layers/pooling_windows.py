"""Windows of pools that Keras lacks: a last window that is not whole, and dilated windows."""

from __future__ import annotations

from collections.abc import Sequence

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.ops.windows import Padding, Pairs, pad_pairs

LOWEST = -3.0e38
"""Less than any number of a model; it pads windows that are then left out or have a maximum."""


def pairs_of(
    scope: Scope,
    x: Value,
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Pairs, tuple[int, ...]]:
    """Return the padding of each axis, and how much of it after an axis makes a window whole.

    With `ceil_mode`, a last window counts that begins in the input or before it, as in MindSpore.
    """
    sizes = [scope.known(n, "the size") for n in x.shape[1:-1]]
    pairs = pad_pairs(padding, sizes, window, strides, dilation)
    more = tuple(
        _missing(n, a, b, (k - 1) * d + 1, s) if ceil_mode else 0
        for n, (a, b), k, s, d in zip(sizes, pairs, window, strides, dilation, strict=True)
    )
    return pairs, more


def _missing(size: int, before: int, after: int, extent: int, stride: int) -> int:
    whole = size + before + after - extent
    last = -(-whole // stride) * stride  # where the last window begins
    if last >= size + before:
        last -= stride
    return max(last - whole, 0)


def dilated_max_pool(
    x: Value,
    window: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
) -> Value:
    """Return the maximum of windows whose elements lie `dilation` apart.

    The elements that lie so become neighbours: each of the other positions is a channel.
    """
    sizes = [n + sum(pair) for n, pair in zip(_sizes(x), padding, strict=True)]
    extents = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    rows = [n - e + 1 for n, e in zip(sizes, extents, strict=True)]  # windows of stride 1
    rest = [-n % d for n, d in zip(sizes, dilation, strict=True)]
    pads = [(a, b + more) for (a, b), more in zip(padding, rest, strict=True)]
    y = _apart(ops.pad(x, ((0, 0), *pads, (0, 0)), LOWEST), dilation)
    y = ops.max_pool(y, window, (1,) * len(window))
    y = _together(y, dilation)
    y = ops.slice(y, (0,) * y.rank, (y.shape[0], *rows, y.shape[-1]))
    return ops.max_pool(y, (1,) * len(window), strides)


def _sizes(x: Value) -> list[int]:
    return [int(n or 0) for n in x.shape[1:-1]]


def _apart(x: Value, dilation: Sequence[int]) -> Value:
    """Move the position within `dilation` elements of each axis into the channels."""
    sizes, axes = _sizes(x), len(dilation)
    split = [part for n, d in zip(sizes, dilation, strict=True) for part in (n // d, d)]
    y = ops.reshape(x, (x.shape[0], *split, x.shape[-1]))
    order = (0, *range(1, 2 * axes + 1, 2), *range(2, 2 * axes + 1, 2), 2 * axes + 1)
    y = ops.transpose(y, order)
    channels = int(x.shape[-1] or 0)
    for d in dilation:
        channels *= d
    return ops.reshape(y, (x.shape[0], *split[::2], channels))


def _together(x: Value, dilation: Sequence[int]) -> Value:
    """Move the positions back out of the channels."""
    sizes, axes = _sizes(x), len(dilation)
    channels = int(x.shape[-1] or 0)
    for d in dilation:
        channels //= d
    y = ops.reshape(x, (x.shape[0], *sizes, *dilation, channels))
    order = [0, *(i for axis in range(1, axes + 1) for i in (axis, axis + axes)), 2 * axes + 1]
    y = ops.transpose(y, tuple(order))
    grown = [n * d for n, d in zip(sizes, dilation, strict=True)]
    return ops.reshape(y, (x.shape[0], *grown, channels))
