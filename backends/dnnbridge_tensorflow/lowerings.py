"""The table of operations: the TensorFlow form of each. Only windows depend on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from dnnbridge.backend import Op, ops
from dnnbridge_tensorflow import rows, sums, workers
from dnnbridge_tensorflow.candidates import lowering
from dnnbridge_tensorflow.windows import WINDOWS

Tensor = Any

DTYPES = {
    **{"float32": tf.float32, "int32": tf.int32, "bool": tf.bool},
    **{"float16": tf.float16, "bfloat16": tf.bfloat16, "float64": tf.float64},
}

MOVING: frozenset[type[Op]] = frozenset(
    {ops.Concat, ops.Relu, ops.Reshape, ops.Reverse, ops.Slice, ops.Transpose}
)
"""Operations that move numbers or keep their sign, and whose derivatives do."""

PRODUCTS: frozenset[type[Op]] = frozenset({ops.BatchMatMul, ops.Conv, ops.MatMul})
"""Products, which a GPU adds up in float32. A CPU may round every sum; that depends on oneDNN and
on the processor."""

NATIVE: Mapping[str, frozenset[type[Op]]] = {"cpu": MOVING, "gpu": MOVING | PRODUCTS}
"""Operations that run in float16 and bfloat16 themselves, by kind of device."""


def _reshape(op: ops.Reshape, x: Tensor) -> Tensor:
    return tf.reshape(x, [-1 if size is None else size for size in op.shape])


MOST_AXES = 6
"""The most axes of which TensorFlow has a kernel that stretches several."""


def _broadcast_to(op: ops.BroadcastTo, x: Tensor) -> Tensor:
    wanted = [tf.shape(x)[0] if size is None else size for size in op.shape]
    if len(wanted) <= MOST_AXES:
        return tf.broadcast_to(x, wanted)
    sizes = [1] * (len(wanted) - len(x.shape)) + tf.unstack(tf.shape(x), num=len(x.shape))
    known = [1] * (len(wanted) - len(x.shape)) + list(x.shape)
    x = tf.reshape(x, sizes)
    for axis, (before, after) in enumerate(zip(known, op.shape, strict=True)):
        if before == 1 and after != 1:  # one at a time, which TensorFlow can do with any rank
            sizes[axis] = wanted[axis]
            x = tf.broadcast_to(x, sizes)
    return x


def _slice(op: ops.Slice, x: Tensor) -> Tensor:
    return tf.slice(x, op.starts, [-1 if size is None else size for size in op.sizes])


def _argmax(op: ops.ArgMax, x: Tensor) -> Tensor:
    """Return the index of the first NaN, if there is one; tf.argmax ignores NaN."""
    nan = tf.not_equal(x, x)
    rank = tf.where(tf.reduce_any(nan, op.axis, True), tf.cast(nan, x.dtype), x)
    return tf.argmax(rank, op.axis, output_type=tf.int32)


Lowerings = Mapping[type[Op], Callable[..., Tensor]]

LOWERINGS: Lowerings = {
    ops.Abs: lambda op, x: tf.abs(x),
    ops.Add: sums.binary(tf.add, lambda a, b, y, dy: (dy, dy)),
    ops.AllReduceGradient: workers.all_reduce_gradient,
    ops.AllReduceSum: workers.all_reduce_sum,
    ops.ArgMax: _argmax,
    ops.BatchMatMul: lambda op, a, b: tf.matmul(a, b),
    ops.BroadcastTo: _broadcast_to,
    ops.Cast: lambda op, x: tf.cast(x, DTYPES[op.dtype]),
    ops.Clip: lambda op, x: tf.clip_by_value(x, op.low, op.high),
    ops.Concat: lambda op, *xs: tf.concat(xs, op.axis),
    ops.Div: sums.binary(tf.divide, lambda a, b, y, dy: (dy / b, -dy * (y / b))),
    ops.Equal: lambda op, a, b: tf.equal(a, b),
    ops.Erfc: lambda op, x: tf.math.erfc(x),
    ops.Exp: lambda op, x: tf.exp(x),
    ops.Expm1: lambda op, x: tf.math.expm1(x),
    ops.Greater: lambda op, a, b: tf.greater(a, b),
    ops.Log: lambda op, x: tf.math.log(x),
    ops.LogSoftmax: lambda op, x: tf.nn.log_softmax(x, op.axis),
    ops.MatMul: lambda op, x, w: tf.matmul(x, w) if x.shape.rank == 2 else tf.tensordot(x, w, 1),
    ops.Maximum: lambda op, a, b: tf.maximum(a, b),
    ops.Minimum: lambda op, a, b: tf.minimum(a, b),
    ops.Mul: sums.binary(tf.multiply, lambda a, b, y, dy: (dy * b, dy * a)),
    ops.Neg: lambda op, x: tf.negative(x),
    ops.OneHot: lambda op, x: tf.one_hot(x, op.depth),
    ops.Pad: lambda op, x: tf.pad(x, op.pairs, constant_values=op.value),
    ops.PutRows: rows.with_rows,
    ops.ReduceMax: lambda op, x: tf.reduce_max(x, op.axes, op.keepdims),
    ops.ReduceMean: sums.reduction(tf.reduce_mean),
    ops.ReduceSum: sums.reduction(tf.reduce_sum),
    ops.Relu: lambda op, x: tf.nn.relu(x),
    ops.Reshape: _reshape,
    ops.Reverse: lambda op, x: tf.reverse(x, op.axes),
    ops.Select: lambda op, condition, a, b: tf.where(condition, a, b),
    ops.Sigmoid: lambda op, x: tf.sigmoid(x),
    ops.Sign: lambda op, x: tf.sign(x),
    ops.Slice: _slice,
    # tf.nn.softmax loses NaN: a row with one becomes NaN and zeros.
    ops.Softmax: lambda op, x: tf.exp(tf.nn.log_softmax(x, op.axis)),
    ops.Softplus: lambda op, x: tf.nn.softplus(x),
    ops.Sqrt: lambda op, x: tf.sqrt(x),
    ops.Square: lambda op, x: tf.square(x),
    ops.Sub: sums.binary(tf.subtract, lambda a, b, y, dy: (dy, -dy)),
    ops.SumRepeats: rows.sum_repeats,
    ops.Take: rows.take,
    ops.Tanh: lambda op, x: tf.tanh(x),
    ops.Transpose: lambda op, x: tf.transpose(x, op.permutation),
}


def _reduce_max(op: ops.ReduceMax, x: Tensor) -> Tensor:
    """Return NaN if there is one; XLA ignores NaN."""
    there = tf.reduce_any(tf.not_equal(x, x), op.axes, op.keepdims)
    return tf.where(
        there, tf.constant(float("nan"), x.dtype), tf.reduce_max(x, op.axes, op.keepdims)
    )


WITH_XLA: Lowerings = {ops.ReduceMax: _reduce_max}
"""Operations with another lowering in a function that XLA compiles."""


def lowerings_on(device: str, xla: bool = False) -> Lowerings:
    """Return the table of all operations for a device."""
    windows = dict.fromkeys(WINDOWS, lowering(WINDOWS, device))
    return {**LOWERINGS, **(WITH_XLA if xla else {}), **windows}
