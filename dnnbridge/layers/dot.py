"""Dot products of two inputs, example by example."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.merging import AbstractMerge
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Bool, Int
from dnnbridge.specs.spec import spec

SMALLEST = 1e-14
"""Least value of a squared length, as in Keras."""


@spec
class Dot(AbstractMerge):
    """Dot products along one axis of each of two inputs, example by example

    The result has the other axes of the first input, then those of the second. Without other axes
    its shape is (batch, 1).

    Args:
        axes: the axis of each input, except the batch; one number is used for both.
        normalize: whether to divide each input by its length along its axis (cosine similarity).

    Example:
        >>> from dnnbridge import Input, Model
        >>> a, b = Input((5, 4)), Input((4, 3))
        >>> Model([a, b], Dot((2, 1))(a, b)).output_shape
        (None, 5, 3)
    """

    axes: Int | tuple[Int, Int]
    normalize: Bool = False

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(len(inputs) == 2, "Dot needs two inputs", got=str(len(inputs)))
        given = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        a, b = inputs
        (i,), (j,) = normal_axes(a, given[0]), normal_axes(b, given[1])
        scope.require(
            0 not in (i, j) and a.shape[i] == b.shape[j],
            "Dot needs one axis of the same size in both inputs, except the batch",
            got=f"axes {self.axes} of ({shape_text(a.shape)}) and ({shape_text(b.shape)})",
        )
        if self.normalize:
            a, b = _unit(a, i), _unit(b, j)
        rows, columns = _others(scope, a, i), _others(scope, b, j)
        left = ops.transpose(a, (0, *(n for n in range(1, a.rank) if n != i), i))
        right = ops.transpose(b, (0, j, *(n for n in range(1, b.rank) if n != j)))
        made = ops.batch_matmul(
            ops.reshape(left, (a.shape[0], math.prod(rows), a.shape[i])),
            ops.reshape(right, (b.shape[0], b.shape[j], math.prod(columns))),
        )
        return ops.reshape(made, (a.shape[0], *((*rows, *columns) or (1,))))


def _others(scope: Scope, x: Value, axis: int) -> list[int]:
    return [scope.known(d, "a factor") for n, d in enumerate(x.shape) if n not in (0, axis)]


def _unit(x: Value, axis: int) -> Value:
    squared = ops.reduce_sum(ops.square(x), axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(squared, SMALLEST))
