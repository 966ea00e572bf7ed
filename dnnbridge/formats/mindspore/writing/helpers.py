"""Functions that a written file defines where MindSpore's own are inexact or missing."""

from __future__ import annotations

from collections.abc import Collection

HELPERS = {
    "tanh": '''\
def tanh(x):
    """tanh by that of x / 2: the error of `ops.tanh` on a CPU is 1e-4 beyond 2.5."""
    t = ops.tanh(0.5 * x)
    return 2.0 * t / (t * t + 1.0)
''',
    "softplus": '''\
def softplus(x):
    """log(1 + exp(x)), which does not overflow."""
    t = ops.exp(-ops.abs(x))
    s = t / (t + 2.0)
    square = s * s
    series = square * (2.0 / 13.0) + 2.0 / 11.0
    for odd in (9.0, 7.0, 5.0, 3.0, 1.0):
        series = series * square + 2.0 / odd
    return ops.relu(x) + s * series
''',
    "log_softmax": '''\
def log_softmax(x, axis):
    """x - log Σ exp(x); the error of `ops.log_softmax` on a CPU is 4e-6."""
    shifted = x - ops.stop_gradient(ops.amax(x, axis, True))
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis, True))
''',
    "softmax": '''\
def softmax(x, axis):
    """exp(x) / Σ; `ops.softmax` on a CPU does not write the rows after one of -inf."""
    e = ops.exp(x - ops.stop_gradient(ops.amax(x, axis, True)))
    return e / ops.sum(e, axis, True)
''',
    "one_hot": '''\
def one_hot(x, depth):
    """1 in the place of each number, else 0."""
    return ops.OneHot()(x, depth, ms.Tensor(1.0, ms.float32), ms.Tensor(0.0, ms.float32))
''',
    "pad": '''\
def pad(x, pairs, value):
    """Put numbers before and after x; the derivative of `ops.pad` on a CPU is wrong."""
    for axis, (before, after) in enumerate(pairs):
        rest, end = x.shape[:axis], x.shape[axis + 1 :]
        if before > 0:
            x = ops.cat((ops.full(rest + (before,) + end, value, dtype=x.dtype), x), axis)
        if after > 0:
            x = ops.cat((x, ops.full(rest + (after,) + end, value, dtype=x.dtype)), axis)
    return x
''',
    "conv": '''\
def conv(x, kernel, stride, dilation, group):
    """A convolution of x with its channels last; the kernel is (*window, in, out)."""
    x, kernel = channels_first(x), ops.transpose(kernel, kernel_axes(kernel.ndim))
    if x.ndim == 3:
        y = ops.conv2d(
            ops.expand_dims(x, 2), ops.expand_dims(kernel, 2), None, (1,) + stride,
            "valid", 0, (1,) + dilation, group,
        )
        return channels_last(ops.squeeze(y, 2))
    if x.ndim == 4:
        return channels_last(ops.conv2d(x, kernel, None, stride, "valid", 0, dilation, group))
    return channels_last(ops.conv3d(x, kernel, None, stride, "valid", 0, dilation, group))
''',
    "conv_transpose": '''\
def conv_transpose(x, kernel, stride, pads, dilation, sizes):
    """The transpose of a convolution with channels last that takes inputs of these sizes."""
    x, kernel = channels_first(x), ops.transpose(kernel, kernel_axes(kernel.ndim))
    if x.ndim == 5:
        for i in range(3):
            kernel = spread(kernel, i + 2, dilation[i])
        window = kernel.shape[2:]
        transpose = ops.Conv3DTranspose(
            kernel.shape[0], kernel.shape[1], window, pad_mode="valid", stride=stride
        )
        return channels_last(cropped(transpose(x, kernel), pads, sizes))
    flat = x.ndim == 3
    if flat:
        x, kernel = ops.expand_dims(x, 2), ops.expand_dims(kernel, 2)
        stride, dilation = (1,) + stride, (1,) + dilation
        pads, sizes = ((0, 0),) + pads, (1,) + sizes
    made = ()
    for i in range(2):
        extent = (kernel.shape[i + 2] - 1) * dilation[i] + 1
        made = made + ((x.shape[i + 2] - 1) * stride[i] + extent,)
    transpose = ops.Conv2DTranspose(
        kernel.shape[0], kernel.shape[2:], pad_mode="valid", stride=stride, dilation=dilation
    )
    y = transpose(x, kernel, (x.shape[0], kernel.shape[1]) + made)
    y = cropped(y, pads, sizes)
    return channels_last(ops.squeeze(y, 2) if flat else y)
''',
    "spread": '''\
def spread(x, axis, distance):
    """Put zeros between the elements along an axis, so that they have this distance."""
    if distance == 1:
        return x
    begin, count, end = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    zeros = ops.zeros(begin + (count, distance - 1) + end, x.dtype)
    x = ops.cat((ops.expand_dims(x, axis + 1), zeros), axis + 1)
    x = ops.reshape(x, begin + (count * distance,) + end)
    start = (0,) * x.ndim
    return ops.slice(x, start, begin + ((count - 1) * distance + 1,) + end)
''',
    "cropped": '''\
def cropped(y, pads, sizes):
    """The part of y that begins after the padding and has these sizes; y may end before."""
    short, begin = ((0, 0), (0, 0)), (0, 0)
    for i in range(len(sizes)):
        begin = begin + (pads[i][0],)
        short = short + ((0, max(sizes[i] + pads[i][0] - y.shape[i + 2], 0)),)
    return ops.slice(pad(y, short, 0.0), begin, y.shape[:2] + sizes)
''',
    "max_pool": '''\
def max_pool(x, window, stride):
    """The largest number of each window; x has its channels last."""
    x = channels_first(x)
    if x.ndim == 3:
        y = ops.MaxPool((1,) + window, (1,) + stride, "valid")(ops.expand_dims(x, 2))
        return channels_last(ops.squeeze(y, 2))
    if x.ndim == 4:
        return channels_last(ops.MaxPool(window, stride, "valid")(x))
    return channels_last(ops.MaxPool3D(window, stride, "valid")(x))
''',
    "avg_pool": '''\
def avg_pool(x, window, stride):
    """The mean of each window; x has its channels last."""
    x = channels_first(x)
    if x.ndim == 3:
        y = ops.AvgPool((1,) + window, (1,) + stride, "valid")(ops.expand_dims(x, 2))
        return channels_last(ops.squeeze(y, 2))
    if x.ndim == 4:
        return channels_last(ops.AvgPool(window, stride, "valid")(x))
    return channels_last(ops.AvgPool3D(window, stride, "valid")(x))
''',
    "kernel_axes": '''\
def kernel_axes(rank):
    """The axes of a kernel (*window, in, out) in MindSpore's order: (out, in, *window)."""
    return (rank - 1, rank - 2) + tuple(range(rank - 2))
''',
    "channels_first": '''\
def channels_first(x):
    """(batch, *sizes, channels) as (batch, channels, *sizes)."""
    return ops.transpose(x, (0, x.ndim - 1) + tuple(range(1, x.ndim - 1)))
''',
    "channels_last": '''\
def channels_last(x):
    """(batch, channels, *sizes) as (batch, *sizes, channels)."""
    return ops.transpose(x, (0,) + tuple(range(2, x.ndim)) + (1,))
''',
}
"""The text of each function by its name."""

NEEDS = {
    "conv": ("kernel_axes", "channels_first", "channels_last"),
    "conv_transpose": (
        *("kernel_axes", "channels_first", "channels_last", "pad"),
        *("cropped", "spread"),
    ),
    "max_pool": ("channels_first", "channels_last"),
    "avg_pool": ("channels_first", "channels_last"),
}
"""The functions that a function calls."""


def helpers_source(used: Collection[str]) -> str:
    """Return the text of the functions that are used, and of those that they call."""
    wanted = {*used, *(inner for name in used for inner in NEEDS.get(name, ()))}
    return "\n\n".join(text for name, text in HELPERS.items() if name in wanted)
