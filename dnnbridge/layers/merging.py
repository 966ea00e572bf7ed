"""Layers that merge several inputs into one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec


class AbstractMerge(AbstractLayer):
    """Base of merging layers; all inputs have the same shape, without broadcasting."""


@spec
class Add(AbstractMerge):
    """Sum of two or more inputs

    Example:
        >>> from dnnbridge import Dense, Input, Model
        >>> x = Input((4,))
        >>> Model(x, Add()(x, Dense(4)(x))).output_shape
        (None, 4)
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        _require_alike(scope, inputs)
        return reduce(lambda a, b: a + b, inputs)


@spec
class Subtract(AbstractMerge):
    """First input minus the second

    Example:
        >>> Subtract().to_dict()["kind"]
        'layer.Subtract'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(len(inputs) == 2, "Subtract needs two inputs", got=str(len(inputs)))
        _require_alike(scope, inputs)
        return inputs[0] - inputs[1]


@spec
class Multiply(AbstractMerge):
    """Product of two or more inputs, element by element

    Example:
        >>> Multiply().to_dict()["kind"]
        'layer.Multiply'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        _require_alike(scope, inputs)
        return reduce(lambda a, b: a * b, inputs)


@spec
class Average(AbstractMerge):
    """Mean of two or more inputs, element by element

    Example:
        >>> Average().to_dict()["kind"]
        'layer.Average'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        _require_alike(scope, inputs)
        return reduce(lambda a, b: a + b, inputs) * (1.0 / len(inputs))


@spec
class Maximum(AbstractMerge):
    """Maximum of two or more inputs, element by element; in a tie the first gets the gradient

    Example:
        >>> Maximum().to_dict()["kind"]
        'layer.Maximum'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        _require_alike(scope, inputs)
        return reduce(ops.maximum, inputs)


@spec
class Minimum(AbstractMerge):
    """Minimum of two or more inputs, element by element; in a tie the first gets the gradient

    Example:
        >>> Minimum().to_dict()["kind"]
        'layer.Minimum'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        _require_alike(scope, inputs)
        return reduce(ops.minimum, inputs)


@spec
class Concatenate(AbstractLayer):
    """Inputs joined along an axis, by default the last; their other sizes must be equal

    Example:
        >>> from dnnbridge import Input, Model
        >>> a, b = Input((3,)), Input((2,))
        >>> Model([a, b], Concatenate()(a, b)).output_shape
        (None, 5)
    """

    axis: Int = -1

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return ops.concat(inputs, self.axis)


def _require_alike(scope: Scope, inputs: Sequence[Value]) -> None:
    scope.require(
        len(inputs) >= 2 and len({value.type for value in inputs}) == 1,
        "two or more inputs of the same shape are needed",
        got=" and ".join(f"({shape_text(value.shape)})" for value in inputs),
        hint="Give them the same shape with Dense or Reshape.",
    )
