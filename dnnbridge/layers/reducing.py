"""Sums, means and extremes over axes of an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Bool, plain
from dnnbridge.specs.json_types import listed, read_as
from dnnbridge.specs.spec import spec

Reduction = Literal["sum", "mean", "max", "min"]

Axes = int | tuple[int, ...]


def _axes(value: object) -> tuple[int, ...]:
    """Return axes as a tuple, so that equal specs are equal."""
    given = value if isinstance(value, (tuple, list)) else (value,)
    made = tuple(map(plain, given))
    if not made or not all(type(axis) is int and axis for axis in made):
        raise SpecError(
            "expected one or several axes other than 0, the batch",
            got=shorten(value),
            hint="Axis 1 is the first after the batch, and -1 the last.",
        )
    return made


@spec
class Reduce(AbstractLayer):
    """Sum, mean, maximum or minimum over axes of each example

    Args:
        operation: "sum", "mean", "max" or "min". Equal extremes share the gradient evenly, as in
            Keras.
        axis: one or several axes. Axis 1 is the first after the batch, and -1 the last.
        keepdims: whether the axes are kept with size 1.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x = Input((5, 4, 3))
        >>> Model(x, Reduce("mean", (1, 2))(x)).output_shape
        (None, 3)
    """

    operation: Reduction
    axis: Annotated[
        Axes,
        PlainValidator(_axes),
        read_as({"type": "integer"}, listed({"type": "integer"}, least=1)),
    ]
    keepdims: Bool = False

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = normal_axes(x, self.axis)
        scope.require(
            0 not in axes,
            "the batch axis cannot be reduced",
            got=f"axis {self.axis} of ({shape_text(x.shape)})",
            hint="Axis 1 is the first after the batch.",
        )
        return REDUCTIONS[self.operation](x, axes, self.keepdims)


def _least(x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    return -ops.reduce_max(-x, axes, keepdims)


REDUCTIONS: Mapping[str, Callable[[Value, tuple[int, ...], bool], Value]] = {
    "sum": ops.reduce_sum,
    "mean": ops.reduce_mean,
    "max": ops.reduce_max,
    "min": _least,
}
"""The equation of each reduction."""
