"""Cases of operations and activations at the ends of float32: ±0, denormals, the largest, ±∞, NaN.

Gradients are compared for inputs without NaN only, because frameworks do not define whether the
gradient at a NaN is 0 or NaN. Backends may read denormals as 0; `Equation.flushed` gives the
results for that.
"""

from __future__ import annotations

import numpy as np

from dnnbridge import activations, ops
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Op
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.op_case import OpCase

LARGEST = float(np.finfo(np.float32).max)

_SMALL = np.array([0.0, 1e-40, 1e-30, 1.0])
_ENDS = np.concatenate([_SMALL, -_SMALL, [1e30, -1e30, LARGEST, -LARGEST, np.inf, -np.inf]])
_NAN = np.array([np.nan, 1.0, np.nan])

_UNARY: list[Op] = [
    *(ops.Neg(), ops.Abs(), ops.Exp(), ops.Expm1(), ops.Erfc()),
    *(ops.Relu(), ops.Sigmoid(), ops.Tanh(), ops.Softplus(), ops.Sign(), ops.Clip(-1.0, 2.0)),
]

_BINARY: list[Op] = [ops.Add(), ops.Sub(), ops.Mul(), ops.Maximum(), ops.Minimum()]

_ROWS = np.array(
    [
        *([np.inf, 1.0, 2.0], [-np.inf, 1.0, 2.0], [np.inf, np.inf, 1.0], [-np.inf] * 3),
        *([1e-40, 0.0, -1e-40], [1e30, 1.0, -1e30], [LARGEST, 1.0, 2.0], [-LARGEST] * 3),
        *([0.0] * 3, [1e-30, 1e-30, 0.0], [LARGEST, -LARGEST, np.inf]),
    ]
)
"""Rows with ties. In any order of addition, a sum is a float32 number or overflows to ±∞."""

_NAN_ROWS = np.array(
    [
        *([np.nan, 1.0, 2.0], [1.0, np.nan, 2.0], [1.0, 2.0, np.nan], [np.nan] * 3),
        *([np.nan, np.inf, 1.0], [np.inf, -np.inf, np.nan], [3.0, 1.0, 2.0]),
    ]
)


def _pairs(a: Array, b: Array) -> tuple[Array, Array]:
    """Return all pairs of a number of one array and a number of the other."""
    return np.repeat(a, len(b)), np.tile(b, len(a))


def _elementwise() -> list[OpCase]:
    made = [OpCase(f"{type(op).__name__}-ends", op, (_ENDS,)) for op in _UNARY]
    made += [OpCase(f"{type(op).__name__}-nan", op, (_NAN,), gradient=False) for op in _UNARY]
    ends, nans = _pairs(_ENDS, _ENDS), _pairs(_NAN, _ENDS)
    for op in _BINARY:
        made.append(OpCase(f"{type(op).__name__}-ends", op, ends))
        made.append(OpCase(f"{type(op).__name__}-nan", op, nans, gradient=False))
    for compare in (ops.Equal(), ops.Greater()):
        name = type(compare).__name__
        both = _pairs(np.append(_ENDS, np.nan), np.append(_ENDS, np.nan))
        made.append(OpCase(f"{name}-ends", compare, both, gradient=False))
    # Huge and denormal divisors are separate cases: some frameworks multiply by the reciprocal.
    huge = np.array([1e38, 3e38, -LARGEST, 1e37]), np.array([1e38, -2e38, LARGEST, 1.2e38])
    tiny = np.array([1e-25, 1e-22, 1e-25]), np.array([1e-20, -1e-20, 1e-25])
    denormal = np.array([1.0, 1e-10, -1e-5]), np.array([1e-40, -1e-39, 1e-39])
    small = np.array([1e-30, 1e30, -1e30, 0.0, np.inf, 3.0])
    middle = np.array([1e-15, -1e-15, 1.0, -3.0, 1e15])
    finite = np.array([0.0, 1e-40, 1.0, -1e10, 1e20])
    made += [
        OpCase("Div-ends", ops.Div(), _pairs(_ENDS, small), gradient=False),
        OpCase("Div-gradient", ops.Div(), _pairs(finite[:3], middle)),
        OpCase("Div-huge_divisor", ops.Div(), huge, gradient=False),
        OpCase("Div-denormal_divisor", ops.Div(), denormal, gradient=False),
        OpCase("Div-gradient_of_small", ops.Div(), tiny),
        # Without the largest number: the gradient 2x overflows before the cotangent scales it.
        OpCase("Square-ends", ops.Square(), (_ENDS[np.abs(_ENDS) != LARGEST],)),
        # Frameworks disagree on the root of -0 and the logarithm of a denormal.
        OpCase("Sqrt-ends", ops.Sqrt(), (np.abs(_ENDS),)),
        OpCase("Sqrt-nan", ops.Sqrt(), (_NAN,), gradient=False),
        OpCase("Log-ends", ops.Log(), (_ENDS[_ENDS > 1e-37],)),
        OpCase("Log-outside", ops.Log(), (np.array([0.0, -1.0, -np.inf, np.nan]),), gradient=False),
    ]
    return made


def _along_axes() -> list[OpCase]:
    made: list[OpCase] = []
    for axis in (0, 1):
        over: list[Op] = [ops.ReduceMax((axis,)), ops.ReduceMax((axis,), True)]
        over += [ops.ReduceSum((axis,)), ops.ReduceMean((axis,))]
        for k, op in enumerate([*over, ops.Softmax(axis), ops.LogSoftmax(axis)]):
            name = f"{type(op).__name__}-axis{axis}-{k}"
            rows = _ROWS if axis else _ROWS[[1, 4, 5, 8]]
            if not isinstance(op, (ops.ReduceSum, ops.ReduceMean)) or not axis:
                made.append(OpCase(f"{name}-ends", op, (rows,), reduced=3))
            made.append(OpCase(f"{name}-nan", op, (_NAN_ROWS,), gradient=False, reduced=7))
        rows = np.concatenate([_ROWS, _NAN_ROWS])
        made.append(OpCase(f"ArgMax-axis{axis}-ends", ops.ArgMax(axis), (rows,), gradient=False))
    four = np.repeat(np.arange(4.0).reshape(1, 2, 2, 1), 5, 0)
    for k in range(4):
        four[k, k // 2, k % 2] = np.nan
    four[4] = np.nan
    pool = ops.MaxPool((2, 2), (2, 2), ((0, 0), (0, 0)))
    made.append(OpCase("MaxPool-nan", pool, (four,), gradient=False))
    whole = OpCase("ReduceMax-all-nan", ops.ReduceMax((0, 1)), (_NAN_ROWS,), gradient=False)
    return [*made, whole]


def _moving() -> list[OpCase]:
    everything = np.append(_ENDS, np.nan)
    size = len(everything)
    numbers = np.array([[1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [1e30, 1.0], [1e-40, 1e-40]])
    kernel = np.array([[1.0, 3.0], [2.0, 0.0]])
    whole = np.array([2**31 - 1, -(2**31), 0, 2**24 + 1, -1])
    given: list[tuple[Op, tuple[Array, ...]]] = [
        (ops.MatMul(), (numbers, kernel)),
        (ops.BatchMatMul(), (numbers[None], kernel[None])),
        (ops.Concat(0), (everything, everything[:3])),
        (ops.Pad(((1, 2),), -np.inf), (everything,)),
        (ops.Select(), (everything > 0, everything, -everything)),
        (ops.Take(), (np.concatenate([_ROWS, _NAN_ROWS]), np.array([12, 1, 1, 0, 3]))),
        (ops.Transpose((1, 0)), (_NAN_ROWS,)),
        (ops.Reverse((0,)), (everything,)),
        (ops.BroadcastTo((2, size)), (everything,)),
        (ops.Slice((size - 4,), (4,)), (everything,)),
        (ops.Reshape((size, 1)), (everything,)),
        (ops.Cast("float32"), (whole,)),
    ]
    return [OpCase(f"{type(op).__name__}-ends", op, xs, gradient=False) for op, xs in given]


EXTREME_OP_CASES: list[OpCase] = [*_elementwise(), *_along_axes(), *_moving()]

_FINITE_AT_INFINITY: list[activations.AbstractActivation] = [
    *(activations.Linear(), activations.ReLU(), activations.ReLU6(), activations.LeakyReLU()),
    *(activations.HardSigmoid(), activations.ELU(0.3), activations.CELU(2.5), activations.SELU()),
    *(activations.Sigmoid(), activations.LogSigmoid(), activations.Tanh(), activations.Softplus()),
    *(activations.ReLU(max_value=5.0, negative_slope=0.1, threshold=1.0), activations.HardTanh()),
    *(activations.Threshold(1.0, 0.25), activations.SoftShrink(), activations.HardShrink()),
    *(activations.SparsePlus(), activations.SparseSigmoid(), activations.SquarePlus()),
]
"""Activations whose gradient at ±∞ has no product 0 · ∞."""

_TINY = np.array([[0.0, -0.0, 1e-40, -1e-40, 1e-30, -1e-30], [1e30, -1e30, 1e-38, 1e-37, 3.0, 0.5]])
_INFINITE = np.array([[np.inf, 1.0], [-np.inf, 1.0]])

_TINY_TOO: list[activations.AbstractActivation] = [
    *(*_FINITE_AT_INFINITY, activations.SiLU(), activations.GELU(), activations.GELU(True)),
    *(activations.Mish(), activations.Softsign(), activations.HardSwish(), activations.PReLU()),
    *(activations.TanhShrink(), activations.GLU()),
]

EXTREME_CASES: list[EquationCase] = [
    *(EquationCase(f"{a}-tiny", a, (_TINY,), reduced=2) for a in _TINY_TOO),
    *(EquationCase(f"{a}-infinite", a, (_INFINITE,)) for a in _FINITE_AT_INFINITY),
]
