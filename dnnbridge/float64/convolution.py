"""Numbers of convolutions: a loop over the elements of the window, matrix products inside."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.float64.rules import Rule
from dnnbridge.graph import Op
from dnnbridge.ops.windows import Pairs, places

Index = tuple[slice, ...]


def offsets(
    window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], made: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Index]]:
    """Yield each element of a window, and where the padded input has it for all places."""
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


def _rows(x: Array, groups: int) -> Array:
    """(…, groups · channels) -> (groups, rows, channels), which one product takes."""
    return x.reshape(-1, groups, x.shape[-1] // groups).swapaxes(0, 1)


def _columns(rows: Array) -> Array:
    """(groups, rows, channels) -> (rows, groups · channels)"""
    return rows.swapaxes(0, 1).reshape(rows.shape[1], -1)


def _kernel(kernel: Array, offset: tuple[int, ...], groups: int) -> Array:
    """One element of the window: (groups, in, out)."""
    matrix: Array = kernel[offset]
    return np.asarray(matrix.reshape(matrix.shape[0], groups, -1).swapaxes(0, 1))


def _conv(op: ops.Conv, x: Array, kernel: Array) -> Array:
    window, given = kernel.shape[:-2], padded(x, op.padding)
    made = places("", x.shape[1:-1], window, op.strides, op.padding, op.dilation)
    total = np.zeros((op.groups, len(x) * math.prod(made), kernel.shape[-1] // op.groups))
    for offset, where in offsets(window, op.strides, op.dilation, made):
        total += _rows(given[where], op.groups) @ _kernel(kernel, offset, op.groups)
    return _columns(total).reshape(len(x), *made, -1)


def _by_input(op: ops.Conv, sizes: Sequence[int], kernel: Array, dy: Array) -> Array:
    channels = kernel.shape[-2] * op.groups
    grown = [n + a + b for n, (a, b) in zip(sizes, op.padding, strict=True)]
    dx, rows = np.zeros((len(dy), *grown, channels)), _rows(dy, op.groups)
    for offset, where in offsets(kernel.shape[:-2], op.strides, op.dilation, dy.shape[1:-1]):
        share = rows @ _kernel(kernel, offset, op.groups).swapaxes(1, 2)
        dx[where] += _columns(share).reshape(*dy.shape[:-1], channels)
    return cropped(dx, op.padding)


def _by_kernel(op: ops.Conv, x: Array, kernel: Array, dy: Array) -> Array:
    given, dk, rows = padded(x, op.padding), np.zeros(kernel.shape), _rows(dy, op.groups)
    for offset, where in offsets(kernel.shape[:-2], op.strides, op.dilation, dy.shape[1:-1]):
        products = _rows(given[where], op.groups).swapaxes(1, 2) @ rows
        dk[offset] = _columns(products)
    return dk


def _conv_vjp(op: ops.Conv, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    x, kernel = xs
    return _by_input(op, x.shape[1:-1], kernel, dy), _by_kernel(op, x, kernel, dy)


def _transpose(op: ops.ConvTranspose, x: Array, kernel: Array) -> Array:
    return _by_input(op.transposed, op.sizes, kernel, x)


def _transpose_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    x, kernel = xs
    return _conv(op.transposed, dy, kernel), _by_kernel(op.transposed, dy, kernel, x)


RULES: dict[type[Op], Rule] = {
    ops.Conv: Rule(_conv, _conv_vjp),
    ops.ConvTranspose: Rule(_transpose, _transpose_vjp),
}
