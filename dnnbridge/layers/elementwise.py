"""One operation on each element of an input, alone or with a number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Operand, Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Bool, Float
from dnnbridge.specs.spec import spec

OfOne = Literal["abs", "erf", "exp", "expm1", "log", "negative", "rsqrt", "sign", "sqrt", "square"]
OfTwo = Literal["add", "divide", "maximum", "minimum", "multiply", "power", "subtract"]


@spec
class Elementwise(AbstractLayer):
    """An operation on each element, alone or with a number

    Operators on inputs and outputs of layers make this layer: `1.0 - x * 0.5`, `x ** 2`, `abs(x)`.
    The result has the shape of the input.

    Args:
        operation: of x alone "abs", "erf", "exp", "expm1", "log", "negative", "rsqrt" (1 / √x),
            "sign", "sqrt" or "square"; of x and the number "add", "divide", "maximum", "minimum",
            "multiply", "power" or "subtract".
        number: the second operand, for an operation that takes one.
        number_first: whether the number is the first operand: number - x.

    Derivatives at kinks are those of Keras: 0 for abs and sign at 0; where x is equal to the
    number, the first operand of maximum and minimum gets the gradient. A number ** x is
    exp(x · log number), so the number must be positive; x ** number of a negative x is NaN unless
    the number is whole.

    Raises:
        SpecError: the number is missing, or the operation takes none or not this one.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x = Input((4,))
        >>> Model(x, 1.0 - x).nodes[0].layer
        Elementwise(operation='subtract', number=1.0, number_first=True)
        >>> Model(x, Elementwise("sqrt")(x)).output_shape
        (None, 4)
    """

    operation: OfOne | OfTwo
    number: Float | None = None
    number_first: Bool = False

    def __post_init__(self) -> None:
        if self.operation in ALONE:
            _require(self.number is None and not self.number_first, self, "takes no number")
            return
        _require(self.number is not None, self, "needs a number")
        zero, power = self.number == 0, self.operation == "power"
        if self.operation == "divide" and not self.number_first:
            _require(not zero, self, "cannot divide by 0")
        if power and self.number_first:
            _require((self.number or 0) > 0, self, "needs a positive number to raise")
        elif power:
            _require(not zero, self, "makes 1 of every element with the number 0")

    def emit(self, scope: Scope, x: Value) -> Value:
        if self.number is None:
            return ALONE[self.operation](x)
        combine = WITH_NUMBER[self.operation]
        return combine(self.number, x) if self.number_first else combine(x, self.number)


def _require(holds: bool, layer: Elementwise, what: str) -> None:
    if not holds:
        raise SpecError(
            f"the operation {layer.operation} {what}",
            got=f"number={layer.number}, number_first={layer.number_first}",
            hint='Write Elementwise("multiply", 0.5), or Elementwise("sqrt").',
        )


def _power(a: Operand, b: Operand) -> Value:
    if isinstance(a, Value):
        assert not isinstance(b, Value)
        return power(a, b)
    assert isinstance(b, Value)
    return ops.exp(b * math.log(a))


def power(x: Value, exponent: float) -> Value:
    """Return x ** exponent, whose value and derivative at 0 are those of Keras; exponent ≠ 0."""
    if exponent == int(exponent):
        return _whole_power(x if exponent > 0 else 1.0 / x, abs(int(exponent)))
    if exponent in (0.5, -0.5):
        return ops.sqrt(x) if exponent > 0 else 1.0 / ops.sqrt(x)
    if exponent < 0:
        return ops.exp(exponent * ops.log(x))
    positive = x > 0.0
    made = ops.exp(exponent * ops.log(ops.where(positive, x, 1.0)))
    return ops.where(positive, made, _at_zero(x, exponent))


def _whole_power(x: Value, exponent: int) -> Value:
    """Multiply by squaring."""
    if exponent == 1:
        return x
    half = ops.square(_whole_power(x, exponent // 2))
    return half * x if exponent % 2 else half


def _at_zero(x: Value, exponent: float) -> Value:
    """Return 0 at 0, with the derivative that the power has there: infinite, or 0. NaN below."""
    if exponent < 1:
        return ops.sqrt(x)
    return ops.square(x) * ops.sqrt(ops.where(x < 0.0, -1.0, 1.0))


ALONE: Mapping[str, Callable[[Value], Value]] = {
    "abs": ops.abs,
    "erf": lambda x: 1.0 - ops.erfc(x),
    "exp": ops.exp,
    "expm1": ops.expm1,
    "log": ops.log,
    "negative": operator.neg,
    "rsqrt": lambda x: 1.0 / ops.sqrt(x),
    "sign": ops.sign,
    "sqrt": ops.sqrt,
    "square": ops.square,
}
"""The equation of each operation of x alone."""

WITH_NUMBER: Mapping[str, Callable[[Operand, Operand], Value]] = {
    "add": operator.add,
    "divide": operator.truediv,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "multiply": operator.mul,
    "power": _power,
    "subtract": operator.sub,
}
"""The equation of each operation of x and a number, in either order."""
