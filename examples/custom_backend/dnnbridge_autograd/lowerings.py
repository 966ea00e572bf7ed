"""The table: every primitive operation in autograd's NumPy."""

from __future__ import annotations

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.scipy.special import erfc
from autograd.tracer import getval, isbox

from dnnbridge.backend import ops
from dnnbridge_autograd import windows

DTYPES = {"float32": np.float32, "int32": np.int32, "bool": bool}

# Autograd differentiates expm1 as expm1(x) + 1, which is 0 where exp(x) is small.
_expm1 = primitive(np.expm1)
defvjp(_expm1, lambda ans, x: lambda g: g * np.exp(x))


def _log_softmax(op, x):
    shifted = x - np.max(x, axis=op.axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=op.axis, keepdims=True))


def _softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-x * np.sign(x)))


def _reshape(op, x):
    return np.reshape(x, [-1 if size is None else size for size in op.shape])


def _where(condition, a, b):
    """Broadcast first: autograd's own `where` does not sum the gradient of a broadcast operand."""
    zero = np.zeros(np.broadcast_shapes(*(np.shape(each) for each in (condition, a, b))))
    return np.where(condition, a + zero, b + zero)


def _broadcast_to(op, x):
    return x + np.zeros([np.shape(x)[0] if size is None else size for size in op.shape])


def _slice(op, x):
    sizes = zip(op.starts, op.sizes, strict=True)
    return x[tuple(slice(s, None if size is None else s + size) for s, size in sizes)]


def _take(op, table, indices):
    while isbox(indices):  # computed from traced numbers; whole numbers have no gradient
        indices = getval(indices)
    inside = np.clip(indices, 0, len(table) - 1)
    known = np.reshape(inside == indices, np.shape(indices) + (1,) * (np.ndim(table) - 1))
    return _where(known, table[inside], np.nan)


def _reverse(op, x):
    return x[tuple(slice(None, None, -1 if i in op.axes else 1) for i in range(np.ndim(x)))]


LOWERINGS = {
    ops.Abs: lambda op, x: x * np.sign(x),
    ops.Add: lambda op, a, b: a + b,
    **dict.fromkeys((ops.AllReduceGradient, ops.AllReduceSum), lambda op, x: x),  # one worker
    ops.ArgMax: lambda op, x: np.argmax(x, op.axis),
    ops.AvgPool: windows.avg_pool,
    ops.BatchMatMul: lambda op, a, b: np.matmul(a, b),
    ops.BroadcastTo: _broadcast_to,
    ops.Cast: lambda op, x: x.astype(DTYPES[op.dtype]),
    ops.Clip: lambda op, x: _where(x < op.low, op.low, _where(x > op.high, op.high, x)),
    ops.Concat: lambda op, *xs: np.concatenate(xs, op.axis),
    ops.Conv: windows.conv,
    ops.ConvTranspose: windows.conv_transpose,
    ops.Div: lambda op, a, b: a / b,
    ops.Equal: lambda op, a, b: a == b,
    ops.Erfc: lambda op, x: erfc(x),
    ops.Exp: lambda op, x: np.exp(x),
    ops.Expm1: lambda op, x: _expm1(x),
    ops.Greater: lambda op, a, b: a > b,
    ops.Log: lambda op, x: np.log(x),
    ops.LogSoftmax: _log_softmax,
    ops.MatMul: lambda op, x, w: np.matmul(x, w),
    ops.MaxPool: windows.max_pool,
    ops.Maximum: lambda op, a, b: _where((a >= b) | (a != a), a, b),
    ops.Minimum: lambda op, a, b: _where((a <= b) | (a != a), a, b),
    ops.Mul: lambda op, a, b: a * b,
    ops.Neg: lambda op, x: -x,
    ops.OneHot: lambda op, x: (x[..., None] == np.arange(op.depth)).astype(np.float32),
    ops.Pad: lambda op, x: np.pad(x, op.pairs, "constant", constant_values=op.value),
    ops.ReduceMax: lambda op, x: np.max(x, axis=op.axes, keepdims=op.keepdims),
    ops.ReduceMean: lambda op, x: np.mean(x, axis=op.axes, keepdims=op.keepdims),
    ops.ReduceSum: lambda op, x: np.sum(x, axis=op.axes, keepdims=op.keepdims),
    ops.Relu: lambda op, x: _where(x <= 0, 0.0, x),
    ops.Reshape: _reshape,
    ops.Reverse: _reverse,
    ops.Select: lambda op, condition, a, b: _where(condition, a, b),
    ops.Sigmoid: lambda op, x: np.exp(-_softplus(-x)),
    ops.Sign: lambda op, x: np.sign(x) + _where(x == x, 0.0, x),  # keeps x in the trace
    ops.Slice: _slice,
    ops.Softmax: lambda op, x: np.exp(_log_softmax(op, x)),
    ops.Softplus: lambda op, x: _softplus(x),
    ops.Sqrt: lambda op, x: np.sqrt(x),
    ops.Square: lambda op, x: x * x,
    ops.Sub: lambda op, a, b: a - b,
    ops.Take: _take,
    ops.Tanh: lambda op, x: np.tanh(x),
    ops.Transpose: lambda op, x: np.transpose(x, op.permutation),
}
