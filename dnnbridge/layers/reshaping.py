"""Layers that move elements without changing them."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import OpenShape, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Flatten(AbstractLayer):
    """All axes of an example as one, (batch, n), in C order with channels last

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28)), Flatten()]).output_shape
        (None, 784)
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        sizes = [scope.known(dim, "the flat size") for dim in x.shape[1:]]
        return ops.reshape(x, (x.shape[0], math.prod(sizes)))


@spec
class Reshape(AbstractLayer):
    """Each example in another shape, in C order

    Args:
        target_shape: the sizes without the batch. One of them may be -1: the size that is left.

    Raises:
        ShapeError: an example has another number of elements.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((12,)), Reshape((3, -1))]).output_shape
        (None, 3, 4)
    """

    target_shape: OpenShape

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.reshape(x, (x.shape[0], *self._sizes(scope, x)))

    def _sizes(self, scope: Scope, x: Value) -> tuple[int, ...]:
        """Return the target shape, with the size that is left in place of -1."""
        if -1 not in self.target_shape:
            return self.target_shape
        elements = math.prod(scope.known(dim, "the size for -1") for dim in x.shape[1:])
        others = -math.prod(self.target_shape)
        scope.require(
            elements % others == 0 and elements > 0,
            "the other sizes of target_shape must divide the number of elements of an example",
            got=f"{self.target_shape} for shape ({shape_text(x.shape)})",
        )
        return tuple(elements // others if size == -1 else size for size in self.target_shape)


@spec
class RepeatVector(AbstractLayer):
    """Each example n times, one after the other: (batch, features) to (batch, n, features)

    Args:
        n: how many times.

    Raises:
        ShapeError: the input does not have rank 2.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5,)), RepeatVector(3)]).output_shape
        (None, 3, 5)
    """

    n: PositiveInt

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank == 2,
            "RepeatVector needs an input of shape (batch, features)",
            got=f"shape ({shape_text(x.shape)})",
            hint="Add a Flatten before it.",
        )
        batch, features = x.shape
        row = ops.reshape(x, (batch, 1, features))
        return ops.broadcast_to(row, (batch, self.n, features))


@spec
class Permute(AbstractLayer):
    """The axes of each example in another order; axis 1 is the first after the batch, as in Keras

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((3, 4)), Permute((2, 1))]).output_shape
        (None, 4, 3)
    """

    dims: tuple[PositiveInt, ...]

    def __post_init__(self) -> None:
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise SpecError(
                "must name each axis once, from 1",
                where="Permute.dims",
                got=str(self.dims),
                hint="Write (2, 1) to exchange two axes.",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.transpose(x, (0, *self.dims))
