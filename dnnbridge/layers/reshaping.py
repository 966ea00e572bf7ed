"""Layers that move elements without changing them."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import PositiveInt, Shape
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

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((12,)), Reshape((3, 4))]).output_shape
        (None, 3, 4)
    """

    target_shape: Shape

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.reshape(x, (x.shape[0], *self.target_shape))


@spec
class Permute(AbstractLayer):
    """The axes of each example in another order; axis 1 is the first after the batch, as in Keras

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((3, 4)), Permute((2, 1))]).output_shape
        (None, 4, 3)
    """

    dims: tuple[PositiveInt, ...]

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.transpose(x, (0, *self.dims))
