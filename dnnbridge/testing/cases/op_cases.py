"""Cases of primitive operations: at least one per operation, with ordinary and hard inputs."""

from __future__ import annotations

import math

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Op
from dnnbridge.testing.cases.convolution_cases import CONVOLUTION_OP_CASES
from dnnbridge.testing.cases.extreme_cases import EXTREME_OP_CASES
from dnnbridge.testing.cases.op_case import OpCase, both_signs
from dnnbridge.testing.cases.op_case import normal as _normal
from dnnbridge.testing.cases.pooling_cases import POOLING_OP_CASES
from dnnbridge.testing.cases.shape_op_cases import SHAPE_OP_CASES

_WIDE = np.concatenate(
    [np.linspace(-30, 30, 241), [0.0, 1e-8, -1e-8, 1e-3, -1e-3, 4.99, 5.01, -20.0, 88.0, -88.0]]
)
"""Both tails, numbers around 0, and numbers where native kernels were seen to fail."""

_NEAR = both_signs(1e-36, 0.25, 60)
"""Numbers close to 0, where an absolute tolerance would hide cancellation in a kernel."""

_TAILS = both_signs(4.0, 85.0, 40)
"""Numbers for which sigmoids and exponentials are small but not denormal."""

_POSITIVE = np.concatenate([np.linspace(0.01, 3, 100), [1.0, 1e-7, 1.0 - 1e-7, 1e-30, 1e4, 1e30]])
_TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [-1.0, -5.0, 0.0]])
_LOGITS = np.concatenate([_normal(40, 7, scale=3.0), [[100.0, 0, 0, 0, 0, 0, -100.0]]])

_UNARY: list[tuple[Op, Array]] = [
    (ops.Neg(), _WIDE),
    (ops.Abs(), _WIDE),
    (ops.Square(), _WIDE),
    (ops.Exp(), np.linspace(-20, 5, 251)),
    (ops.Expm1(), np.append(np.linspace(-20, 5, 251), [0.0, 1e-8, -1e-8, 0.3499, 0.3501, -88.0])),
    (ops.Erfc(), np.append(np.linspace(-6, 9, 251), [0.0, 1e-8, -1e-8, 88.0, -88.0])),
    (ops.Sqrt(), _POSITIVE[:100]),
    (ops.Log(), _POSITIVE[:103]),
    (ops.Relu(), _WIDE),
    (ops.Sigmoid(), _WIDE),
    (ops.Tanh(), _WIDE),
    (ops.Softplus(), _WIDE),
    (ops.Sign(), _WIDE),
    (ops.Clip(-1.0, 2.0), np.append(_WIDE, [-1.0, 2.0])),
]

_LARGE = np.array([1e2, -1e2, 1e4, -1e4, 1e19, -1e19, 3e38, -3e38])

_BOUNDED: list[Op] = [
    *(ops.Neg(), ops.Abs(), ops.Relu(), ops.Sigmoid(), ops.Tanh(), ops.Softplus(), ops.Sign()),
    *(ops.Clip(-1.0, 2.0), ops.Erfc()),
]
"""Operations whose value and derivative are finite for all finite float32 numbers."""

_LIMITS = np.array([np.inf, -np.inf, np.nan, 0.0])

_BINARY: list[Op] = [ops.Add(), ops.Sub(), ops.Mul(), ops.Maximum(), ops.Minimum()]

_EQUAL_HERE_AND_THERE = np.where(np.arange(12).reshape(3, 4) % 2, _normal(3, 4), 0.5)

_SHAPES: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
    ("same", (3, 4), (3, 4)),
    ("row", (3, 4), (4,)),
    ("column", (3, 4), (3, 1)),
    ("scalar", (3, 4), ()),
    ("scalar_first", (), (2, 3, 4)),
]

_REDUCTIONS: list[tuple[str, tuple[int, ...], bool]] = [
    ("last", (2,), False),
    ("first_kept", (0,), True),
    ("two", (0, 2), False),
    ("all", (0, 1, 2), False),
]


def _relative() -> list[OpCase]:
    """Small numbers, or numbers with small results, compared with relative errors."""
    both = np.concatenate([_NEAR, _TAILS])
    middle = both_signs(1e-16, 1e18, 60)
    cancelling = np.append(np.linspace(-6, 9, 101), _NEAR)
    given: list[tuple[Op, tuple[Array, ...]]] = [
        *((op, (both,)) for op in (ops.Neg(), ops.Abs(), ops.Relu(), ops.Clip(-1.0, 2.0))),
        *((op, (both,)) for op in (ops.Exp(), ops.Expm1(), ops.Sigmoid(), ops.Tanh())),
        (ops.Softplus(), (both,)),
        (ops.Erfc(), (cancelling,)),
        (ops.Square(), (middle,)),
        (ops.Sqrt(), (np.abs(_NEAR),)),
        (ops.Log(), (np.abs(both),)),
        (ops.Add(), (_NEAR, 0.7 * _NEAR)),
        (ops.Sub(), (_NEAR, 0.7 * _NEAR)),
        (ops.Mul(), (middle, np.roll(middle, 7))),
        (ops.Div(), (_NEAR, np.tile([0.3, -7.0, 1e4], 40))),
        (ops.Softmax(1), (np.stack([_TAILS, np.zeros(80)], 1),)),
    ]
    return [OpCase(f"{type(op).__name__}-relative", op, xs, relative=True) for op, xs in given]


def _reductions() -> list[OpCase]:
    x, classes = _normal(3, 5, 4), (ops.ReduceSum, ops.ReduceMean, ops.ReduceMax)
    return [
        OpCase(f"{cls.__name__}-{name}", cls(axes, kept), (x,), reduced=math.prod(x.shape))
        for cls in classes
        for name, axes, kept in _REDUCTIONS
    ]


def _limits() -> list[OpCase]:
    """Infinities and NaN; only values are compared."""
    unary = [*_BOUNDED, ops.Square(), ops.Exp(), ops.Expm1(), ops.Sqrt()]
    binary = [ops.Maximum(), ops.Minimum(), ops.Greater(), ops.Equal()]
    rows = np.array([[np.inf, 1.0], [-np.inf, 1.0], [np.nan, 1.0], [1.0, np.nan]])
    along = [ops.Softmax(1), ops.LogSoftmax(1)]
    pairs = np.repeat(_LIMITS, 4), np.tile(_LIMITS, 4)
    given: list[tuple[Op, tuple[Array, ...]]] = [
        *((op, (_LIMITS,)) for op in unary),
        *((op, pairs) for op in binary),
        *((op, (rows,)) for op in along),
    ]
    return [OpCase(f"{type(op).__name__}-limits", op, xs, gradient=False) for op, xs in given]


def _others() -> list[OpCase]:
    x, condition = _normal(3, 4), _normal(3, 4, key=1) > 0
    infinite = np.array([-np.inf, -1.0, 0.0, 2.0, np.inf])
    return [
        OpCase("Clip-unbounded", ops.Clip(0.0, np.inf), (_WIDE,)),
        OpCase("Maximum-infinite", ops.Maximum(), (infinite, np.zeros(5))),
        OpCase("Select-same", ops.Select(), (condition, x, _normal(3, 4, key=2))),
        OpCase(
            "Select-int", ops.Select(), (condition, np.arange(12).reshape(3, 4), np.array(3)), False
        ),
        OpCase("Select-scalar", ops.Select(), (condition, x, np.array(0.5))),
        OpCase("Cast-bool", ops.Cast("float32"), (condition,), gradient=False),
        OpCase("Cast-int", ops.Cast("int32"), (10 * x,), gradient=False),
        OpCase("Concat", ops.Concat(1), (x, _normal(3, 2), _normal(3, 1))),
        OpCase("Concat-int", ops.Concat(1), (np.arange(6).reshape(3, 2),) * 2, gradient=False),
        OpCase("Concat-first_axis", ops.Concat(0), (x, _normal(2, 4))),
        OpCase("Div", ops.Div(), (x, _normal(3, 4, key=3) + np.sign(_normal(3, 4, key=3)))),
        OpCase("Div-row", ops.Div(), (x, np.array([0.5, 3.0, -7.0, 1e4]))),
        OpCase("Equal", ops.Equal(), (np.arange(6), np.array([0, 2, 2, 3, 5, 5])), gradient=False),
        OpCase("Greater", ops.Greater(), (_TIES, _TIES[:1]), gradient=False),
        OpCase("ArgMax-ties", ops.ArgMax(1), (_TIES,), gradient=False),
        OpCase("ArgMax-first_axis", ops.ArgMax(0), (_normal(5, 3),), gradient=False),
        OpCase("OneHot", ops.OneHot(4), (np.array([0, 3, 1, 1]),), gradient=False),
        OpCase("OneHot-outside", ops.OneHot(3), (np.array([-1, 3, -100, 2]),), gradient=False),
        OpCase("OneHot-rank2", ops.OneHot(3), (np.array([[0, 2], [1, 1]]),), gradient=False),
        OpCase("ReduceMax-ties", ops.ReduceMax((1,)), (_TIES,)),
        OpCase("Softmax", ops.Softmax(1), (_LOGITS,), reduced=7),
        OpCase("Softmax-first_axis", ops.Softmax(0), (_normal(5, 4),), reduced=5),
        OpCase("LogSoftmax", ops.LogSoftmax(1), (_LOGITS,), reduced=7),
        OpCase("LogSoftmax-rank3", ops.LogSoftmax(2), (_normal(3, 5, 4),), reduced=4),
        OpCase("MatMul", ops.MatMul(), (_normal(7, 33), _normal(33, 5)), reduced=33),
        OpCase("MatMul-one_row", ops.MatMul(), (_normal(1, 300), _normal(300, 1)), reduced=300),
        OpCase("MatMul-rank3", ops.MatMul(), (_normal(2, 3, 8), _normal(8, 5)), reduced=8),
        OpCase("Reshape", ops.Reshape((6, 4)), (_normal(2, 3, 4),)),
        OpCase("Transpose", ops.Transpose((2, 0, 1)), (_normal(2, 3, 4),)),
    ]


OP_CASES: list[OpCase] = [
    *(OpCase(f"{type(op).__name__}-wide", op, (x,)) for op, x in _UNARY),
    *(
        OpCase(f"{type(op).__name__}-{name}", op, (_normal(*a), _normal(*b, key=1)))
        for op in _BINARY
        for name, a, b in _SHAPES
    ),
    OpCase("Maximum-ties", ops.Maximum(), (_EQUAL_HERE_AND_THERE, np.full((3, 4), 0.5))),
    OpCase("Minimum-ties", ops.Minimum(), (_EQUAL_HERE_AND_THERE, np.full((3, 4), 0.5))),
    *(OpCase(f"{type(op).__name__}-large", op, (_LARGE,)) for op in _BOUNDED),
    *_relative(),
    *_limits(),
    *_reductions(),
    *_others(),
    *CONVOLUTION_OP_CASES,
    *POOLING_OP_CASES,
    *SHAPE_OP_CASES,
    *EXTREME_OP_CASES,
]
"""A test checks that every primitive has a case here."""
