"""Sabotages of single operations: mistakes of kernels in real frameworks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from dnnbridge import ops
from dnnbridge.ops.rule import Rule
from sabotage.row import Sabotage


def value(change):
    """Change the value of a rule by a function of the value and the inputs; keep its derivative."""
    return lambda rule: Rule(lambda op, *xs: change(rule.forward(op, *xs), *xs), rule.vjp)


def gradient(change):
    """Change the derivatives of a rule; keep its value."""
    return lambda rule: Rule(rule.forward, lambda *given: change(rule.vjp(*given)))


def instead(change):
    """Compute another operation of the same class."""
    return lambda rule: Rule(
        lambda op, *xs: rule.forward(change(op), *xs),
        lambda op, *given: rule.vjp(change(op), *given),
    )


def mirrored(op):
    return replace(op, padding=tuple(pair[::-1] for pair in op.padding))


def _flushed(x):
    return np.where(np.abs(x) < 2.0**-126, 0.0, x)


def _last_maximum(rule):
    return Rule(lambda op, x: x.shape[op.axis] - 1 - np.flip(x, op.axis).argmax(op.axis), rule.vjp)


def _to_all_maxima(rule):
    """The gradient of a max pool to every element that equals the maximum."""

    def vjp(op, xs, y, dy):
        made, grown = rule.vjp(op, xs, y, dy), xs[0] + 0.0
        for _ in range(2):
            again = rule.vjp(op, (np.where(made[0] != 0, -np.inf, grown),), y, dy)
            made = (made[0] + again[0],)
        return made

    return Rule(rule.forward, vjp)


def _later_calls_half(rule):
    """The first derivative is right; every later one is half of the right one."""
    calls = itertools.count()

    def vjp(*given):
        factor = 1.0 if next(calls) == 0 else 0.5
        return tuple(factor * d for d in rule.vjp(*given))

    return Rule(rule.forward, vjp)


def _of_one_use(rule):
    """The gradient of a weight that is used twice is that of one use."""
    calls = itertools.count()

    def vjp(*given):
        x, w = rule.vjp(*given)
        return x, w if next(calls) % 2 == 0 else 0.0 * w

    return Rule(rule.forward, vjp)


def _last_row_wins(rule):
    """The gradient of a row that is taken twice is that of one occurrence."""

    def vjp(op, xs, y, dy):
        made = rule.vjp(op, xs, y, dy)[0] * 0.0
        inside = (xs[1] >= 0) & (xs[1] < len(made))
        made[xs[1][inside]] = dy[inside]
        return made, None

    return Rule(rule.forward, vjp)


def _tanh_of_nnacl(y, x):
    """The rational function that MindSpore uses on a CPU: 1e-4 off near 5, and exactly 1 beyond."""
    s = x * x
    above = ((s + 378.0) * s + 17325.0) * s + 135135.0
    below = ((28.0 * s + 3150.0) * s + 62370.0) * s + 135135.0
    return np.where(np.abs(x) > 5.0, np.sign(x), above * x / below)


def _by_exponential(x):
    """e / (e + 2) with e = exp(2x) - 1 in float32, which has no digits left near 0."""
    e = np.exp(np.float32(2.0) * np.float32(x.clip(-20.0, 20.0))) - np.float32(1.0)
    return e / (e + np.float32(2.0))


def _unshifted_softmax(y, x):
    e = np.exp(x.astype(np.float32))
    return e / e.sum(-1, keepdims=True)


def _clamped(rule):
    return Rule(lambda op, table, index: table[index.clip(0, len(table) - 1)], rule.vjp)


def _op(name, op, change, *caught):
    return Sabotage(name, caught, rules={op: change})


ELEMENTWISE = [
    _op("tanh off by 1e-4", ops.Tanh, value(lambda y, x: y + 1e-4), "operation/Tanh-wide"),
    _op("MindSpore's tanh", ops.Tanh, value(_tanh_of_nnacl), "activation/Tanh()-wide"),
    _op(
        "tanh by an exponential that cancels near 0",
        ops.Tanh,
        value(lambda y, x: _by_exponential(x)),
        "operation/Tanh-relative",
        "activation/Tanh()-relative",
    ),
    _op(
        "tanh 0 below 1e-8",
        ops.Tanh,
        value(lambda y, x: np.where(np.abs(x) < 1e-8, 0.0, y)),
        "operation/Tanh-relative",
    ),
    _op(
        "expm1 as exp - 1",
        ops.Expm1,
        value(lambda y, x: np.exp(np.float32(x)) - 1.0),
        "operation/Expm1-relative",
        "activation/SELU()-relative",
    ),
    _op(
        "erfc as 1 - erf",
        ops.Erfc,
        value(lambda y, x: 1.0 - np.float32(1.0 - y)),
        "operation/Erfc-relative",
        "activation/GELU()-relative",
    ),
    _op(
        "log(1 + t) without the digits of t",
        ops.Softplus,
        value(lambda y, x: np.maximum(x, 0) + np.log(1 + np.exp(np.float32(-np.abs(x))))),
        "operation/Softplus-relative",
        "activation/LogSigmoid()-relative",
        "loss/binary-logits-relative",
    ),
    _op(
        "sigmoid 0 below -40",
        ops.Sigmoid,
        value(lambda y, x: np.where(x < -40, 0.0, y)),
        "operation/Sigmoid-relative",
        "activation/SiLU()-relative",
    ),
    _op(
        "derivative of expm1 from its value",
        ops.Expm1,
        lambda rule: Rule(rule.forward, lambda op, xs, y, g: (g * (np.float32(y) + 1.0),)),
        "operation/Expm1-relative",
    ),
    _op("exp off by 5e-6", ops.Exp, value(lambda y, x: y * (1 + 5e-6)), "operation/Exp-wide"),
    _op("exp without tails", ops.Exp, value(lambda y, x: y * (x > -9.0)), "operation/Exp-wide"),
    _op("relu slope at 0", ops.Relu, gradient(lambda d: (d[0] + 0.5,)), "operation/Relu-wide"),
    _op(
        "relu of NaN is 0",
        ops.Relu,
        value(lambda y, x: np.nan_to_num(y, posinf=np.inf)),
        "operation/Relu-limits",
    ),
    _op(
        "maximum drops NaN",
        ops.Maximum,
        value(lambda y, a, b: np.fmax(a, b)),
        "operation/Maximum-limits",
    ),
    _op(
        "softplus 0 below -10",
        ops.Softplus,
        value(lambda y, x: np.where(x < -10, 0.0, y)),
        "operation/Softplus-wide",
    ),
    _op(
        "softplus a relu",
        ops.Softplus,
        value(lambda y, x: np.where(x > 0, x, 0.0)),
        "loss/binary-logits",
    ),
    _op(
        "derivative of SeLU from its value",
        ops.Expm1,
        lambda rule: Rule(rule.forward, lambda op, xs, y, g: (g * (1.0507 * y + 1 / 1.67326),)),
        "activation/SELU()-wide",
    ),
    _op(
        "half gradients at ties",
        ops.Maximum,
        gradient(lambda d: (0.5 * (d[0] + d[1]), 0.5 * (d[0] + d[1]))),
        "operation/Maximum-ties",
    ),
    _op("clip passes its gradient", ops.Clip, gradient(lambda d: (d[0] * 0 + 1,)), "loss/huber"),
    _op(
        "log of 0 unclipped",
        ops.Clip,
        value(lambda y, x: x),
        "loss/sparse-probabilities-sure",
    ),
    _op(
        "absolute slope 1 at 0",
        ops.Abs,
        lambda rule: Rule(rule.forward, lambda op, xs, y, g: (np.where(xs[0] < 0, -g, g),)),
        "regularizer/L1",
    ),
    _op(
        "square root of 0 is 0.001",
        ops.Sqrt,
        value(lambda y, x: y + 1e-3),
        "constraint/UnitNorm",
    ),
    _op("smaller of norm and limit", ops.Minimum, value(lambda y, a, b: a), "constraint/MaxNorm"),
    _op(
        "least norm of weights",
        ops.Maximum,
        value(lambda y, a, b: a),
        "gradient_rule/AdaptiveClip",
    ),
    _op(
        "a cast that rounds",
        ops.Cast,
        lambda rule: Rule(
            lambda op, x: rule.forward(op, np.round(x) if op.dtype == "int32" else x), rule.vjp
        ),
        "operation/Cast-int",
    ),
    _op(
        "gradient of a broadcast operand of its mean",
        ops.Mul,
        gradient(lambda d: (d[0], d[1] / 3.0 if d[1].ndim == 1 else d[1])),
        "operation/Mul-row",
    ),
]

OVER_AXES = [
    _op(
        "kernel transposed",
        ops.MatMul,
        lambda rule: Rule(lambda op, x, w: x @ w.reshape(w.shape[::-1]).T, rule.vjp),
        "layer/Dense",
    ),
    _op(
        "shared weights learn from one use",
        ops.MatMul,
        _of_one_use,
        "layer/Dense-twice",
        "behaviour/layers called twice",
    ),
    _op("bias dropped", ops.Add, value(lambda y, a, b: a if b.ndim == 1 else y), "layer/Dense"),
    _op(
        "mean over all",
        ops.ReduceMean,
        value(lambda y, x: y * 0 + x.mean()),
        "loss/mse",
        "operation/ReduceMean-last",
    ),
    _op(
        "mean over the units",
        ops.ReduceMean,
        value(lambda y, x: y * 0),
        "gradient_rule/CentralizeGradients",
    ),
    _op(
        "norms over everything",
        ops.ReduceSum,
        value(lambda y, x: np.broadcast_to(np.sum(x), y.shape)),
        "constraint/MaxNorm-kernel",
    ),
    _op(
        "sum in half precision",
        ops.ReduceSum,
        value(lambda y, x: np.float16(y)),
        "operation/ReduceSum-last",
    ),
    _op(
        "softmax without the largest",
        ops.Softmax,
        value(_unshifted_softmax),
        "operation/Softmax",
    ),
    _op(
        "softmax over the first axis",
        ops.Softmax,
        instead(lambda op: replace(op, axis=0)),
        "operation/Softmax",
        "layer/MultiHeadAttention",
    ),
    _op(
        "logarithm of a softmax",
        ops.LogSoftmax,
        value(lambda y, x: np.log(np.exp(y).astype(np.float32))),
        "operation/LogSoftmax",
        "loss/sparse-logits-hard",
    ),
    _op(
        "last of equal maxima",
        ops.ArgMax,
        _last_maximum,
        "metric/Accuracy-ties",
        "operation/ArgMax-ties",
    ),
    _op(
        "transposed wrongly",
        ops.Transpose,
        value(lambda y, x: y[::-1]),
        "regularizer/OrthogonalRegularizer-columns",
    ),
    _op("numbers outside clamped", ops.Take, _clamped, "layer/Embedding-out_of_range"),
    _op("last row wins", ops.Take, _last_row_wins, "operation/Take", "layer/Embedding"),
    _op("pad's later derivatives", ops.Pad, _later_calls_half, "operation/Pad"),
    _op(
        "dropout not scaled",
        ops.Mul,
        value(lambda y, a, b: a if b.ndim == 0 else y),
        "layer/Dropout",
    ),
]

WINDOWS = [
    _op(
        "'same' padding mirrored",
        ops.Conv,
        instead(mirrored),
        "operation/Conv-even_kernel",
        "layer/Conv1D-causal",
        "layer/Conv2D-7x13-same",
        "layer/SeparableConv1D-7x13-same",
    ),
    _op(
        "'same' padding of pools mirrored",
        ops.MaxPool,
        instead(mirrored),
        "operation/MaxPool-even_window",
        "layer/MaxPooling3D-7x13-same",
    ),
    _op(
        "padding counted in a mean",
        ops.AvgPool,
        instead(lambda op: replace(op, count_include_pad=True)),
        "operation/AvgPool-overlap",
        "layer/AveragePooling2D-same",
        "layer/AveragePooling1D-7x13-same",
    ),
    _op(
        "maximum of the padding's zeros",
        ops.MaxPool,
        value(lambda y, x: np.maximum(y, 0.0)),
        "layer/MaxPooling2D-same",
    ),
    _op(
        "a pool that drops NaN",
        ops.MaxPool,
        value(lambda y, x: np.where(np.isnan(y), np.nanmax(x), y)),
        "operation/MaxPool-nan",
    ),
    _op(
        "a quotient by the reciprocal in float32",
        ops.Div,
        value(lambda y, a, b: a * _flushed(1.0 / b)),
        "operation/Div-huge_divisor",
    ),
    _op("gradient to all maxima", ops.MaxPool, _to_all_maxima, "operation/MaxPool-2x2-ties"),
    _op(
        "kernel turned as in a true convolution",
        ops.Conv,
        lambda rule: Rule(
            lambda op, x, k: rule.forward(op, x, np.flip(k, tuple(range(k.ndim - 2)))), rule.vjp
        ),
        "operation/Conv-valid",
    ),
    _op(
        "groups interleaved",
        ops.Conv,
        lambda rule: Rule(
            lambda op, x, k: np.roll(rule.forward(op, x, k), op.groups > 1, -1), rule.vjp
        ),
        "operation/Conv-groups",
    ),
    _op(
        "gates swapped",
        ops.Slice,
        lambda rule: Rule(
            lambda op, x: rule.forward(_other_gate(op), x),
            lambda op, *given: rule.vjp(_other_gate(op), *given),
        ),
        "layer/LSTM",
        "layer/GRU",
    ),
]


def _other_gate(op):
    """Exchange the first two blocks of 4 units: z and r of a GRU, i and f of an LSTM."""
    blocks = {(0, 0): (0, 4), (0, 4): (0, 0)}
    if len(op.starts) != 2 or op.sizes[1] != 4:
        return op
    return replace(op, starts=blocks.get(op.starts, op.starts))


OPERATIONS = [*ELEMENTWISE, *OVER_AXES, *WINDOWS]
