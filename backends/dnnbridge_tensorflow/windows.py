"""Convolutions and pools in TensorFlow.

Padding is put around the input first, unless it is TensorFlow's "SAME": on the CPU the gradients
of grouped and of dilated convolutions refuse explicit padding, and those of others take twice as
long with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from dnnbridge import ops

Tensor = Any


def _padded(x: Tensor, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    pairs = [(0, 0), *padding, (0, 0)]
    return tf.pad(x, pairs, constant_values=value) if any(map(any, pairs)) else x


def _lifted(values: Sequence[int]) -> tuple[int, ...]:
    """One spatial axis becomes two: the kernels for one go through reshapes of their own."""
    return (1, *values) if len(values) == 1 else tuple(values)


def conv(op: ops.Conv, x: Tensor, kernel: Tensor) -> Tensor:
    if (
        len(op.strides) == 2
        and op.groups == 1
        and max(op.dilation) == 1
        and _is_same(op, x, kernel)
    ):
        return tf.nn.conv2d(x, kernel, op.strides, "SAME")
    x = _padded(x, op.padding)
    strides, dilation = _lifted(op.strides), _lifted(op.dilation)
    if len(op.strides) == 1:
        made = _conv(tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), strides, dilation, op.groups)
        return tf.squeeze(made, 1)
    return _conv(x, kernel, strides, dilation, op.groups)


def _is_same(op: ops.Conv, x: Tensor, kernel: Tensor) -> bool:
    """Say whether the padding is the one that the framework calls "SAME"."""
    found = []
    for size, extent, stride in zip(x.shape[1:3], kernel.shape[:2], op.strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        found.append((total // 2, total - total // 2))
    return list(op.padding) == found


def _conv(
    x: Tensor, kernel: Tensor, strides: Sequence[int], dilation: Sequence[int], groups: int
) -> Tensor:
    if len(strides) == 3:
        # There is no grouped convolution over three axes on the CPU.
        kernels = tf.split(_spread(kernel, dilation), groups, -1)
        pairs = zip(tf.split(x, groups, -1), kernels, strict=True)
        return tf.concat([tf.nn.conv3d(a, b, (1, *strides, 1), "VALID") for a, b in pairs], -1)
    if groups == x.shape[-1] and groups > 1 and (max(strides) == 1 or max(dilation) == 1):
        # With strides and dilation together the depthwise kernel gives wrong numbers.
        each = tf.reshape(kernel, (*kernel.shape[:2], groups, -1))
        return tf.nn.depthwise_conv2d(x, each, (1, *strides, 1), "VALID", dilations=dilation)
    return tf.nn.conv2d(x, kernel, strides, "VALID", dilations=dilation)


def _spread(kernel: Tensor, dilation: Sequence[int]) -> Tensor:
    """Put zeros between the elements: traced shapes of `conv3d` swap the last two dilations."""
    for axis, d in enumerate(dilation):
        before, size, after = kernel.shape[:axis], kernel.shape[axis], kernel.shape[axis + 1 :]
        rows = tf.reshape(kernel, (*before, size, 1, *after))
        pairs = [(0, d - 1) if i == axis + 1 else (0, 0) for i in range(rows.shape.rank)]
        whole = tf.reshape(tf.pad(rows, pairs), (*before, size * d, *after))
        kernel = tf.slice(whole, [0] * whole.shape.rank, (*before, (size - 1) * d + 1, *after))
    return kernel


def conv_transpose(op: ops.ConvTranspose, x: Tensor, kernel: Tensor) -> Tensor:
    grown = [n + sum(pair) for n, pair in zip(op.sizes, op.padding, strict=True)]
    strides, dilation = _lifted(op.strides), _lifted(op.dilation)
    shape = [tf.shape(x)[0], *_lifted(grown), kernel.shape[-2]]
    if len(grown) == 3:
        kernel = _spread(kernel, dilation)
        made = tf.nn.conv3d_transpose(x, kernel, shape, strides, "VALID")
    elif len(grown) == 2:
        made = tf.nn.conv2d_transpose(x, kernel, shape, strides, "VALID", dilations=dilation)
    else:
        x, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
        made = tf.nn.conv2d_transpose(x, kernel, shape, strides, "VALID", dilations=dilation)
        made = tf.squeeze(made, 1)
    inside = (slice(a, a + n) for (a, _), n in zip(op.padding, op.sizes, strict=True))
    return made[(slice(None), *inside)]


def _pool(native: Callable[..., Tensor], op: ops.MaxPool | ops.AvgPool, x: Tensor) -> Tensor:
    if len(op.window) == 1:
        made = native(tf.expand_dims(x, 1), (1, *op.window), (1, *op.strides), "VALID")
        return tf.squeeze(made, 1)
    return native(x, op.window, op.strides, "VALID")


def max_pool(op: ops.MaxPool, x: Tensor) -> Tensor:
    native = tf.nn.max_pool3d if len(op.window) == 3 else tf.nn.max_pool2d
    return _pool(native, op, _padded(x, op.padding, -float("inf")))


def avg_pool(op: ops.AvgPool, x: Tensor) -> Tensor:
    native = tf.nn.avg_pool3d if len(op.window) == 3 else tf.nn.avg_pool2d
    made = _pool(native, op, _padded(x, op.padding))
    if op.count_padding or not any(map(any, op.padding)):
        return made
    return made * tf.constant(math.prod(op.window) / op.divisors(x.shape[1:-1]), tf.float32)
