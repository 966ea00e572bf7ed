"""Flatten layer."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.scope import Scope
from dnnbridge.specification import spec


@spec
class Flatten(AbstractLayer):
    """All axes of an example in one, in C order of the (channels last) spec: (batch, n)

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28)), Flatten()]).output_shape
        (None, 784)
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        sizes = [scope.known(dim, "the flat size") for dim in x.shape[1:]]
        return ops.reshape(x, (x.shape[0], math.prod(sizes)))
