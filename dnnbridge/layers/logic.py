"""Comparisons, combinations of what they say, 1 or 0, and choices that depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Operand, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Float
from dnnbridge.specs.spec import spec

Comparison = Literal["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"]
Connective = Literal["and", "or", "xor", "not"]


@spec
class Compare(AbstractLayer):
    """1 where a comparison of each element holds, else 0, float32

    The inputs are x, compared with the number, or two of the same rank, compared with each other.
    Nothing before it gets a gradient. Layers take the result as a mask; so does `SetMask`. A
    comparison with NaN is 0, except "not_equal".

    Args:
        operation: "equal", "not_equal", "greater", "greater_equal", "less" or "less_equal".
        number: what a single input is compared with.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x = Input((5,), "int32")
        >>> Model(x, Compare("not_equal", 0)(x)).output_shape
        (None, 5)
    """

    operation: Comparison
    number: Float | None = None

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(
            len(inputs) == (2 if self.number is None else 1),
            "compares one input with a number, or two inputs",
            got=f"{len(inputs)} inputs, number={self.number}",
            hint='Write Compare("greater", 0.5)(x), or Compare("greater")(x, y).',
        )
        _require_ranks(scope, inputs)
        floats = [_as_float(each) for each in inputs]
        other: Operand = floats[1] if self.number is None else self.number
        return COMPARISONS[self.operation](floats[0], other)


@spec
class Logical(AbstractLayer):
    """and, or, xor of two masks, or not of one: 1 where it holds, else 0, float32

    An element of an input counts as true if it is larger than 0.5. Axes of size 1 are repeated.

    Args:
        operation: "and", "or", "xor" or "not".

    Example:
        >>> from dnnbridge import Compare, Input, Model
        >>> x = Input((5,))
        >>> inside = Logical("and")(Compare("greater", 0)(x), Compare("less", 1)(x))
        >>> Model(x, inside).output_shape
        (None, 5)
    """

    operation: Connective

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(
            len(inputs) == (1 if self.operation == "not" else 2),
            f"{self.operation} takes {'one mask' if self.operation == 'not' else 'two masks'}",
            got=f"{len(inputs)}",
        )
        _require_ranks(scope, inputs)
        a, *others = (ops.cast(_as_float(each) > 0.5, "float32") for each in inputs)
        if self.operation == "not":
            return 1.0 - a
        (b,) = others
        both = a * b
        if self.operation == "and":
            return both
        return a + b - (both if self.operation == "or" else 2.0 * both)


@spec
class Where(AbstractLayer):
    """Elements of one input where a condition holds, of another where it does not

    The inputs are the condition and those of x1 and x2 that are no numbers. An element of the
    condition counts as true if it is larger than 0.5. Sizes of 1 broadcast. The gradient goes to
    the operand that is taken.

    Args:
        x1: a number that is taken where the condition holds, in place of an input.
        x2: a number that is taken elsewhere, in place of an input.

    Example:
        >>> from dnnbridge import Compare, Input, Model
        >>> x = Input((5,))
        >>> Model(x, Where(x2=0.0)(Compare("greater", 1.0)(x), x)).output_shape
        (None, 5)
    """

    x1: Float | None = None
    x2: Float | None = None

    def emit(self, scope: Scope, condition: Value, *inputs: Value) -> Value:
        numbers = (self.x1, self.x2)
        scope.require(
            len(inputs) == numbers.count(None),
            "takes a condition, and an input for each operand that is no number",
            got=f"{len(inputs) + 1} inputs, x1={self.x1}, x2={self.x2}",
            hint="Write Where()(condition, x, y), or Where(x2=0.0)(condition, x).",
        )
        _require_ranks(scope, (condition, *inputs))
        holds, given = _as_float(condition) > 0.5, iter(inputs)
        x1, x2 = (next(given) if number is None else number for number in numbers)
        return ops.where(holds, x1, x2)


def _require_ranks(scope: Scope, inputs: tuple[Value, ...]) -> None:
    scope.require(
        len({each.rank for each in inputs}) == 1,
        "the inputs must have the same rank",
        got=" and ".join(f"({shape_text(each.shape)})" for each in inputs),
        hint="Use Reshape, or an index such as x[:, None], for axes of size 1.",
    )


def _as_float(x: Value) -> Value:
    return x if x.dtype == "float32" else ops.cast(x, "float32")


def _said(condition: Value) -> Value:
    return ops.cast(condition, "float32")


COMPARISONS: Mapping[str, Callable[[Value, Operand], Value]] = {
    "equal": lambda x, y: _said(ops.equal(x, y)),
    "not_equal": lambda x, y: 1.0 - _said(ops.equal(x, y)),
    "greater": lambda x, y: _said(x > y),
    "greater_equal": lambda x, y: _said(x > y) + _said(ops.equal(x, y)),
    "less": lambda x, y: _said(x < y),
    "less_equal": lambda x, y: _said(x < y) + _said(ops.equal(x, y)),
}
"""The equation of each comparison; NaN is neither equal nor larger."""
