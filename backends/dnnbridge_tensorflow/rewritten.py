"""Convolutions and pools rewritten as other operations, if the machine lacks a kernel.

Each form removes a feature that the kernel lacks (dilation, groups, a third axis) and lowers the
rest again. `slices` needs no window kernel at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from dnnbridge.backend import Pairs, ops, places
from dnnbridge_tensorflow.candidates import Again

Tensor = Any


def padded(x: Tensor, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    pairs = [(0, 0), *padding, (0, 0)]
    return tf.pad(x, pairs, constant_values=value) if any(map(any, pairs)) else x


def split(op: ops.Conv, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compute one convolution for each group."""
    x, kernel = given
    pairs = zip(tf.split(x, op.groups, -1), tf.split(kernel, op.groups, -1), strict=True)
    return tf.concat([again(replace(op, groups=1), a, b) for a, b in pairs], -1)


def batches(op: ops.Conv, given: Sequence[Tensor], again: Again) -> Tensor:
    """Move every dilation-th element to its own example, then use a dense kernel."""
    x, kernel = given
    sizes, window = x.shape[1:-1], kernel.shape[:-2]
    made = places("a convolution", sizes, window, op.strides, op.padding, op.dilation)
    whole = [n + sum(pair) for n, pair in zip(sizes, op.padding, strict=True)]
    rests = [-n % d for n, d in zip(whole, op.dilation, strict=True)]
    pads = [[a, b + rest] for (a, b), rest in zip(op.padding, rests, strict=True)]
    phases = tf.space_to_batch(x, op.dilation, pads)
    ones: tuple[int, ...] = (1,) * len(window)
    y = again(replace(op, padding=((0, 0),) * len(window), dilation=ones), phases, kernel)
    crops = [[0, n * d - m] for n, d, m in zip(y.shape[1:-1], op.dilation, made, strict=True)]
    return tf.batch_to_space(y, op.dilation, crops)


def slices(op: ops.Conv, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compute a matrix product; each row holds the elements below one window place."""
    x, kernel = given
    *window, channels, filters = kernel.shape
    made = places("a convolution", x.shape[1:-1], window, op.strides, op.padding, op.dilation)
    parts = list(_slices(padded(x, op.padding), window, op.strides, op.dilation, made))
    if op.groups == 1:
        rows = tf.reshape(tf.concat(parts, -1), (-1, len(parts) * channels))
        y = tf.matmul(rows, tf.reshape(kernel, (-1, filters)))
    else:
        each = [tf.reshape(part, (-1, op.groups, channels)) for part in parts]
        matrices = tf.reshape(kernel, (len(parts) * channels, op.groups, -1))
        y = tf.einsum("ngk,kgf->ngf", tf.concat(each, -1), matrices)
    return tf.reshape(y, (-1, *made, filters))


def _slices(
    x: Tensor,
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    made: Sequence[int],
) -> Iterator[Tensor]:
    """Yield, for each element of the window in C order, the inputs below it at all places."""
    for offset in np.ndindex(*window):
        axes = zip(offset, strides, dilation, made, strict=True)
        inside = (slice(k * d, k * d + (n - 1) * s + 1, s) for k, s, d, n in axes)
        yield x[(slice(None), *inside)]


def pointwise(op: ops.Conv, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compute a kernel of one element: select the strided inputs and multiply them.

    An average pool with a window of one is the fastest way to select them. A strided slice and its
    derivative take seven times as long.
    """
    x, kernel = given
    ones, none = (1,) * len(op.strides), ((0, 0),) * len(op.strides)
    x = again(ops.AvgPool(ones, op.strides, none), padded(x, op.padding))
    return again(ops.Conv(ones, none, ones, op.groups), x, kernel)


def pointwise_transposed(op: ops.ConvTranspose, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compute the transposed form: multiply, then put zeros between and around the products."""
    x, kernel = given
    ones, none = (1,) * len(op.strides), ((0, 0),) * len(op.strides)
    y = again(ops.ConvTranspose(ones, none, ones, tuple(x.shape[1:-1])), x, kernel)
    y = _zeros_between(y, op.strides, 1)
    axes = list(zip(y.shape[1:-1], op.sizes, op.padding, strict=True))
    y = padded(y, [(0, max(size + before - n, 0)) for n, size, (before, _) in axes])
    return y[(slice(None), *(slice(before, before + size) for _, size, (before, _) in axes))]


def spread(op: ops.Conv | ops.ConvTranspose, given: Sequence[Tensor], again: Again) -> Tensor:
    """Replace dilation by zeros between the elements of the kernel."""
    x, kernel = given
    ones: tuple[int, ...] = (1,) * len(op.dilation)
    return again(replace(op, dilation=ones), x, _zeros_between(kernel, op.dilation, 0))


def _zeros_between(x: Tensor, factors: Sequence[int], first: int) -> Tensor:
    """Insert zeros so that elements are `factors` apart along the axes from `first` on."""
    for axis, d in enumerate(factors, first):
        before, size, after = list(x.shape[:axis]), x.shape[axis], list(x.shape[axis + 1 :])
        before = [-1 if n is None else n for n in before]
        rows = tf.expand_dims(x, axis + 1)
        pairs = [(0, d - 1) if i == axis + 1 else (0, 0) for i in range(rows.shape.rank)]
        whole = tf.reshape(tf.pad(rows, pairs), (*before, size * d, *after))
        x = whole[(*(slice(None) for _ in before), slice((size - 1) * d + 1))]
    return x


def turned_padding(op: ops.ConvTranspose, window: Sequence[int]) -> Pairs:
    """Return the padding of the convolution equal to a transposed one without strides."""
    reach = [(k - 1) * d for k, d in zip(window, op.dilation, strict=True)]
    return tuple((r - a, r - b) for r, (a, b) in zip(reach, op.padding, strict=True))


def turned(op: ops.ConvTranspose, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compute a transposed convolution without strides as one with the kernel reversed."""
    x, kernel = given
    axes = list(range(len(op.strides)))
    other = tf.transpose(tf.reverse(kernel, axes), (*axes, len(axes) + 1, len(axes)))
    pairs = turned_padding(op, kernel.shape[:-2])
    return again(ops.Conv(op.strides, pairs, op.dilation), x, other)


def planes(op: ops.MaxPool, given: Sequence[Tensor], again: Again) -> Tensor:
    """Pool over the last two axes, then over the first; ties go to the first in C order."""
    (x,) = given
    first, *sizes, channels = x.shape[1:]
    flat = ops.MaxPool(op.window[1:], op.strides[1:], op.padding[1:])
    y = again(flat, tf.reshape(x, (-1, *sizes, channels)))
    made = y.shape[1:-1]
    deep = ops.MaxPool((op.window[0], 1), (op.strides[0], 1), (op.padding[0], (0, 0)))
    y = again(deep, tf.reshape(y, (-1, first, math.prod(made), channels)))
    return tf.reshape(y, (-1, y.shape[1], *made, channels))


def maxima(op: ops.MaxPool, given: Sequence[Tensor], again: Again) -> Tensor:
    """Compare the window elements one by one; only a larger one takes over the gradient."""
    (x,) = given
    ones: tuple[int, ...] = (1,) * len(op.window)
    made = places("a pooling", x.shape[1:-1], op.window, op.strides, op.padding, ones)
    x = padded(x, op.padding, -float("inf"))
    first, *others = _slices(x, op.window, op.strides, ones, made)
    for other in others:
        first = tf.where(other > first, other, first)
    return first
