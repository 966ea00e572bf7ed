"""Activations in which one half of the features gates the other."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec


@spec
class GLU(AbstractActivation):
    """a · sigmoid(b), where a is the first half of an axis of x and b the second

    The result has half the size along the axis: (batch, 6) becomes (batch, 3). Dauphin et al.,
    "Language modeling with gated convolutional networks", 2017.

    Args:
        axis: the axis, except the batch; its size must be even.

    Raises:
        ShapeError: the size along the axis is odd, or the axis is the batch.

    Example:
        >>> from dnnbridge import Dense, Input, Sequential
        >>> Sequential([Input((5,)), Dense(6, activation="glu")]).output_shape
        (None, 3)
    """

    alias = "glu"
    axis: Int = -1

    def emit(self, scope: Scope, x: Value) -> Value:
        (axis,) = normal_axes(x, self.axis)
        size = scope.known(x.shape[axis], "the half")
        scope.require(
            size % 2 == 0,
            "GLU needs an even size along its axis",
            got=f"axis {self.axis} of shape ({shape_text(x.shape)})",
            hint="Give the layer before it twice as many units as GLU is to return.",
        )
        half = (*x.shape[:axis], size // 2, *x.shape[axis + 1 :])
        first = [0] * x.rank
        second = [*first[:axis], size // 2, *first[axis + 1 :]]
        a, b = ops.slice(x, tuple(first), half), ops.slice(x, tuple(second), half)
        return a * ops.sigmoid(b)
