"""Convolutions and pools in TensorFlow: a table of the forms of each.

The input is padded first, unless the padding is TensorFlow's "SAME". On the CPU, gradients of
grouped and dilated convolutions do not support explicit padding, and others take twice as long
with it. One spatial axis becomes two: the first has one element and a window of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from dnnbridge.backend import ops
from dnnbridge_tensorflow import rewritten
from dnnbridge_tensorflow.candidates import Again, Candidate, Forms, Shapes, Table
from dnnbridge_tensorflow.probe import is_right
from dnnbridge_tensorflow.rewritten import padded

Tensor = Any
Given = Sequence[Tensor]
Example = tuple[ops.Conv, tuple[tuple[int, ...], ...]]
"""An operation, and the shapes of its inputs."""


def _axes(op: Any) -> int:
    return len(op.strides)


def _with_line(op: Any, given: Given, again: Again) -> Tensor:
    """Add an axis before the only one, with equal stride, as depthwise kernels require."""
    x, *kernel = given
    more: dict[str, Any] = {"strides": op.strides * 2, "padding": ((0, 0), *op.padding)}
    if isinstance(op, ops.AvgPool | ops.MaxPool):
        more["window"] = (1, *op.window)
    else:
        more["dilation"] = (1, *op.dilation)
    if isinstance(op, ops.ConvTranspose):
        more["sizes"] = (1, *op.sizes)
    made = again(
        replace(op, **more), tf.expand_dims(x, 1), *(tf.expand_dims(each, 0) for each in kernel)
    )
    return tf.squeeze(made, 1)


def _is_line(op: Any, shapes: Shapes, device: str) -> bool:
    return _axes(op) == 1


# Convolutions.


def _conv(op: ops.Conv, x: Tensor, kernel: Tensor) -> Tensor:
    if _axes(op) == 3:
        return tf.nn.conv3d(padded(x, op.padding), kernel, (1, *op.strides, 1), "VALID")
    if op.groups == max(op.dilation) == 1 and _is_same(op, x.shape[1:3], kernel.shape[:2]):
        return tf.nn.conv2d(x, kernel, op.strides, "SAME")
    return tf.nn.conv2d(padded(x, op.padding), kernel, op.strides, "VALID", dilations=op.dilation)


def _is_same(op: ops.Conv, sizes: Sequence[int], window: Sequence[int]) -> bool:
    """Return whether the padding equals the framework's "SAME"."""
    found = []
    for size, extent, stride in zip(sizes, window, op.strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        found.append((total // 2, total - total // 2))
    return list(op.padding) == found


def _has_conv(op: ops.Conv, shapes: Shapes, device: str) -> bool:
    """Exclude dilated kernels over three axes: in traced graphs they swap two dilations."""
    if op.groups == max(op.dilation) == 1:
        return _axes(op) > 1
    return _axes(op) == 2 and is_right(_conv, *_example(op, min(op.groups, 2), 2), device)


def has_dilated_conv(device: str) -> bool:
    """Return whether there is a kernel for dilated convolutions; on a CPU only oneDNN has one."""
    return _has_conv(ops.Conv((1, 1), ((0, 0),) * 2, (2, 2)), (), device)


def _example(op: ops.Conv, groups: int, each: int) -> Example:
    """Return a small convolution over two axes of the same kind."""
    small = ops.Conv(_small(op.strides), ((0, 0),) * 2, _small(op.dilation), groups)
    return small, ((2, 6, 7, each * groups), (2, 2, each, 2 * groups))


def _small(pair: Sequence[int]) -> tuple[int, ...]:
    """Replace larger numbers by 1 and 2; unequal numbers stay unequal."""
    return tuple(1 if n == 1 or n < max(pair) else 2 for n in pair)


def _depthwise(op: ops.Conv, x: Tensor, kernel: Tensor) -> Tensor:
    each = tf.reshape(kernel, (*kernel.shape[:2], op.groups, -1))
    x, strides = padded(x, op.padding), (1, *op.strides, 1)
    return tf.nn.depthwise_conv2d(x, each, strides, "VALID", dilations=op.dilation)


def _has_depthwise(op: ops.Conv, shapes: Shapes, device: str) -> bool:
    """Exclude strides with dilation, for which the kernel gives wrong numbers."""
    if _axes(op) != 2 or not 1 < op.groups == shapes[0][-1]:
        return False
    if max(op.strides) > 1 and max(op.dilation) > 1:
        return False
    return len(set(op.strides)) == 1 or is_right(_depthwise, *_example(op, 2, 1), device)


def _is_point(op: Any, shapes: Shapes, device: str) -> bool:
    """Return whether a kernel of one element has strides or dilation.

    With strides, oneDNN on a processor with AVX2 sometimes gives a wrong derivative by the kernel,
    without an error. An example is 1×1 with strides of 3 over (1, 9, 12, 3) and 32 filters.
    """
    return max(*op.strides, *op.dilation) > 1 and all(n == 1 for n in shapes[1][:-2])


def _is_special(op: Any) -> bool:
    """Return whether only oneDNN may have a kernel, which it has in float32 only."""
    return bool(max(op.dilation) > 1 or getattr(op, "groups", 1) > 1)


def _is_deep(op: Any) -> bool:
    """Return whether a pool has three axes; TensorFlow has no kernel of it in float64."""
    return _axes(op) == 3


def _is_dilated(op: Any, shapes: Shapes, device: str) -> bool:
    return bool(max(op.dilation) > 1)


CONV = Forms(
    "tensorflow.conv",
    (
        Candidate("line", _is_line, _with_line),
        Candidate("pointwise", _is_point, rewritten.pointwise),
        Candidate(
            "depthwise",
            _has_depthwise,
            lambda op, given, again: _depthwise(op, *given),
            single=lambda op: True,
        ),
        Candidate("native", _has_conv, lambda op, given, again: _conv(op, *given), _is_special),
        Candidate(
            "batches",
            lambda op, shapes, device: max(op.strides) == 1 and max(op.dilation) > 1,
            rewritten.batches,
        ),
        Candidate("split", lambda op, shapes, device: op.groups > 1, rewritten.split),
        Candidate("slices", lambda op, shapes, device: True, rewritten.slices),
        Candidate("spread", _is_dilated, rewritten.spread),
    ),
)


# Transposed convolutions.


def _transposed(op: ops.ConvTranspose, x: Tensor, kernel: Tensor) -> Tensor:
    grown = [n + sum(pair) for n, pair in zip(op.sizes, op.padding, strict=True)]
    shape = [tf.shape(x)[0], *grown, kernel.shape[-2]]
    if _axes(op) == 3:
        made = tf.nn.conv3d_transpose(x, kernel, shape, op.strides, "VALID")
    else:
        made = tf.nn.conv2d_transpose(x, kernel, shape, op.strides, "VALID", dilations=op.dilation)
    inside = (slice(a, a + n) for (a, _), n in zip(op.padding, op.sizes, strict=True))
    return made[(slice(None), *inside)]


def _has_transposed(op: ops.ConvTranspose, shapes: Shapes, device: str) -> bool:
    if max(op.dilation) == 1:
        return _axes(op) > 1
    if _axes(op) != 2:
        return False
    strides, dilation = _small(op.strides), _small(op.dilation)
    sizes = tuple(2 * s + d + 1 for s, d in zip(strides, dilation, strict=True))
    small = ops.ConvTranspose(strides, ((0, 0),) * 2, dilation, sizes)
    return is_right(_transposed, small, ((2, 3, 3, 2), (2, 2, 2, 2)), device)


def _can_turn(op: ops.ConvTranspose, shapes: Shapes, device: str) -> bool:
    pairs = rewritten.turned_padding(op, [int(n or 0) for n in shapes[1][:-2]])
    return all(stride == 1 for stride in op.strides) and all(min(pair) >= 0 for pair in pairs)


CONV_TRANSPOSE = Forms(
    "tensorflow.conv_transpose",
    (
        Candidate("pointwise", _is_point, rewritten.pointwise_transposed),
        Candidate("line", _is_line, _with_line),
        Candidate(
            "native",
            _has_transposed,
            lambda op, given, again: _transposed(op, *given),
            single=_is_special,
        ),
        Candidate("turned", _can_turn, rewritten.turned),
        Candidate("spread", _is_dilated, rewritten.spread),
    ),
)


# Pools.


def _max_pool(op: ops.MaxPool, x: Tensor) -> Tensor:
    native = tf.nn.max_pool3d if _axes(op) == 3 else tf.nn.max_pool2d
    return native(padded(x, op.padding, -float("inf")), op.window, op.strides, "VALID")


def _has_max_pool(op: ops.MaxPool, shapes: Shapes, device: str) -> bool:
    """Without oneDNN, the kernel over three axes gives the gradient to all equal maxima."""
    axes = _axes(op)
    if axes == 1:
        return False
    small = ops.MaxPool((2,) * axes, (1,) * axes, ((0, 0),) * axes)
    return is_right(_max_pool, small, ((2, *(4, 3, 4)[:axes], 2),), device)


def _avg_pool(op: ops.AvgPool, given: Given, again: Again) -> Tensor:
    (x,) = given
    native = tf.nn.avg_pool3d if _axes(op) == 3 else tf.nn.avg_pool2d
    made = native(padded(x, op.padding), op.window, op.strides, "VALID")
    if op.count_include_pad or not any(map(any, op.padding)):
        return made
    return made * tf.constant(math.prod(op.window) / op.divisors(x.shape[1:-1]), made.dtype)


def _avg_planes(op: ops.AvgPool, given: Given, again: Again) -> Tensor:
    """Average over the last two axes, then over the first; padding counts until the end."""
    (x,) = given
    first, *sizes, channels = x.shape[1:]
    flat = ops.AvgPool(op.window[1:], op.strides[1:], op.padding[1:], True)
    y = again(flat, tf.reshape(x, (-1, *sizes, channels)))
    made = y.shape[1:-1]
    deep = ops.AvgPool((op.window[0], 1), (op.strides[0], 1), (op.padding[0], (0, 0)), True)
    y = again(deep, tf.reshape(y, (-1, first, math.prod(made), channels)))
    y = tf.reshape(y, (-1, y.shape[1], *made, channels))
    if op.count_include_pad or not any(map(any, op.padding)):
        return y
    return y * tf.constant(math.prod(op.window) / op.divisors(x.shape[1:-1]), y.dtype)


MAX_POOL = Forms(
    "tensorflow.max_pool",
    (
        Candidate("line", _is_line, _with_line),
        Candidate(
            "native", _has_max_pool, lambda op, given, again: _max_pool(op, *given), _is_deep
        ),
        Candidate("planes", lambda op, shapes, device: _axes(op) == 3, rewritten.planes),
        Candidate("slices", lambda op, shapes, device: True, rewritten.maxima),
    ),
)

AVG_POOL = Forms(
    "tensorflow.avg_pool",
    (
        Candidate("line", _is_line, _with_line),
        Candidate("native", lambda op, shapes, device: _axes(op) > 1, _avg_pool, _is_deep),
        Candidate("planes", lambda op, shapes, device: _axes(op) == 3, _avg_planes),
    ),
)

WINDOWS: Table = {
    ops.AvgPool: AVG_POOL,
    ops.Conv: CONV,
    ops.ConvTranspose: CONV_TRANSPOSE,
    ops.MaxPool: MAX_POOL,
}
"""Forms of every window operation, the fastest first."""
