"""Elementwise operations; two operands broadcast as in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import REAL, Builder, DType, Op, Operand, TensorType, Value, broadcast
from dnnbridge.graph.arithmetic import Abs, AbstractBinary, AbstractComparison, AbstractUnary
from dnnbridge.graph.op import require_dtype
from dnnbridge.ops.arithmetic import unary
from dnnbridge.ops.rule import Rule, unbroadcast, without_derivative


class Sign(AbstractUnary):
    """-1, 0 or 1; gradient 0 everywhere"""

    rounds = False
    kinked = True


class Square(AbstractUnary):
    """x²"""


class Sqrt(AbstractUnary):
    """√x"""


class Exp(AbstractUnary):
    """eˣ"""


class Expm1(AbstractUnary):
    """eˣ - 1, exact near 0"""


class Erfc(AbstractUnary):
    """2/√π · ∫ exp(-t²) dt from x to ∞, exact where it is small; erf is 1 - erfc"""


class Log(AbstractUnary):
    """Natural logarithm"""


class Relu(AbstractUnary):
    """max(x, 0), gradient 0 at 0"""

    rounds = False
    kinked = True


class Sigmoid(AbstractUnary):
    """1 / (1 + e⁻ˣ)"""


class Tanh(AbstractUnary):
    """Hyperbolic tangent"""


class Softplus(AbstractUnary):
    """log(1 + eˣ), without overflow"""


class Maximum(AbstractBinary):
    """Larger of two; where they are equal the gradient goes to the first"""

    rounds = False
    kinked = True


class Minimum(AbstractBinary):
    """Smaller of two; where they are equal the gradient goes to the first"""

    rounds = False
    kinked = True


class Equal(AbstractComparison):
    """a = b"""


@dataclass(frozen=True)
class Clip(AbstractUnary):
    """x kept within [low, high]; gradient 1 inside and at the ends, 0 outside"""

    rounds = False
    kinked = True

    low: float
    high: float


class Select(Op):
    """a where the condition holds, b elsewhere; floats, or whole numbers"""

    rounds = False

    def infer(self, *types: TensorType) -> TensorType:
        condition, a, b = types
        require_dtype(self, condition, "bool")
        require_dtype(self, a, "float32", "int32")
        require_dtype(self, b, a.dtype)
        return TensorType(broadcast(condition.shape, a.shape, b.shape), a.dtype)


@dataclass(frozen=True)
class Cast(Op):
    """Convert the dtype; floats are cut toward zero when they become integers

    Between two types of real numbers it rounds to the nearest, and its derivative is 1.
    """

    rounds = False
    moves = True

    dtype: DType

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(types[0].shape, self.dtype)


def abs(x: Value) -> Value:
    return x.builder.add(Abs(), x)


def sign(x: Value) -> Value:
    return x.builder.add(Sign(), x)


def square(x: Value) -> Value:
    return x.builder.add(Square(), x)


def sqrt(x: Value) -> Value:
    return x.builder.add(Sqrt(), x)


def exp(x: Value) -> Value:
    return x.builder.add(Exp(), x)


def expm1(x: Value) -> Value:
    return x.builder.add(Expm1(), x)


def erfc(x: Value) -> Value:
    return x.builder.add(Erfc(), x)


def log(x: Value) -> Value:
    return x.builder.add(Log(), x)


def relu(x: Value) -> Value:
    return x.builder.add(Relu(), x)


def sigmoid(x: Value) -> Value:
    return x.builder.add(Sigmoid(), x)


def tanh(x: Value) -> Value:
    return x.builder.add(Tanh(), x)


def softplus(x: Value) -> Value:
    return x.builder.add(Softplus(), x)


def maximum(x1: Operand, x2: Operand) -> Value:
    return _builder(x1, x2).add(Maximum(), x1, x2)


def minimum(x1: Operand, x2: Operand) -> Value:
    return _builder(x1, x2).add(Minimum(), x1, x2)


def equal(x1: Value, x2: Operand) -> Value:
    return x1.builder.add(Equal(), x1, x2)


def clip(x: Value, x_min: float, x_max: float) -> Value:
    return x.builder.add(Clip(x_min, x_max), x)


def where(condition: Value, x1: Operand, x2: Operand) -> Value:
    return condition.builder.add(Select(), condition, x1, x2)


def cast(x: Value, dtype: DType) -> Value:
    return x.builder.add(Cast(dtype), x)


def _builder(*operands: Operand) -> Builder:
    """Return the builder of the first operand that is not a number."""
    return next(operand.builder for operand in operands if isinstance(operand, Value))


_DTYPES = {**dict.fromkeys(REAL, np.float64), "int32": np.int32, "bool": np.bool_}


def _cast_vjp(op: Cast, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array | None]:
    return (dy if xs[0].dtype.kind == "f" and op.dtype in REAL else None,)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, e, 1.0) / (1.0 + e))


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _select_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array | None, ...]:
    condition, a, b = xs
    zero = np.zeros(())
    da, db = np.where(condition, dy, zero), np.where(condition, zero, dy)
    return None, unbroadcast(da, a.shape), unbroadcast(db, b.shape)


def _choice(
    forward: Callable[[Array, Array], Array], keep: Callable[[Array, Array], Array]
) -> Rule:
    """Make a rule of one of two numbers; an infinite cotangent is not multiplied by 0."""

    def vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
        _, da, db = _select_vjp(op, (keep(*xs), *xs), y, dy)
        return np.asarray(da), np.asarray(db)

    return Rule(lambda op, a, b: forward(a, b), vjp)


def _clip_vjp(op: Clip, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    return (np.where((x >= op.low) & (x <= op.high), dy, 0.0),)


RULES: dict[type[Op], Rule] = {
    Abs: unary(np.abs, lambda x, y: np.sign(x)),
    Sign: unary(np.sign, lambda x, y: np.zeros_like(x)),
    Square: unary(np.square, lambda x, y: 2.0 * x),
    Sqrt: unary(np.sqrt, lambda x, y: 0.5 / y),
    Exp: unary(np.exp, lambda x, y: y),
    Expm1: unary(np.expm1, lambda x, y: np.exp(x)),
    Erfc: unary(_erfc, lambda x, y: -2.0 / math.sqrt(math.pi) * np.exp(-x * x)),
    Log: unary(np.log, lambda x, y: 1.0 / x),
    Relu: unary(lambda x: np.maximum(x, 0.0), lambda x, y: (x > 0).astype(float)),
    Sigmoid: unary(_sigmoid, lambda x, y: y * (1.0 - y)),
    Tanh: unary(np.tanh, lambda x, y: 1.0 - y * y),
    Softplus: unary(lambda x: np.logaddexp(0.0, x), lambda x, y: _sigmoid(x)),
    Maximum: _choice(np.maximum, np.greater_equal),
    Minimum: _choice(np.minimum, np.less_equal),
    Clip: Rule(lambda op, x: np.clip(x, op.low, op.high), _clip_vjp),
    Select: Rule(lambda op, condition, a, b: np.where(condition, a, b), _select_vjp),
    Equal: without_derivative(lambda op, a, b: a == b),
    Cast: Rule(lambda op, x: x.astype(_DTYPES[op.dtype]), _cast_vjp),
}
