"""Elementwise operations; two operands broadcast as in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge.graph import Builder, DType, Op, Operand, TensorType, Value, broadcast
from dnnbridge.graph.arithmetic import AbstractBinary, AbstractComparison, AbstractUnary
from dnnbridge.graph.op import require_dtype


class Abs(AbstractUnary):
    """|x|, gradient 0 at 0"""

    rounds = False
    kinked = True


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
    """Convert the dtype; floats are cut toward zero when they become integers"""

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
