"""A change of the dtype."""

from __future__ import annotations

from typing import Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.spec import spec


@spec
class Cast(AbstractLayer):
    """x as float32 or int32; floats are cut toward zero when they become integers

    Nothing before a cast to int32 gets a gradient.

    Args:
        dtype: "float32" or "int32".

    Example:
        >>> from dnnbridge import Embedding, Input, Sequential
        >>> Sequential([Input((7,)), Cast("int32"), Embedding(10, 4)]).output_shape
        (None, 7, 4)
    """

    dtype: Literal["float32", "int32"]

    def emit(self, scope: Scope, x: Value) -> Value:
        return x if x.dtype == self.dtype else ops.cast(x, self.dtype)
