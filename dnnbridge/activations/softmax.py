"""Activations that make a distribution along an axis."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec


@spec
class Softmax(AbstractActivation):
    """exp(x) / Σ exp(x) along an axis, by default the last

    Example:
        >>> Softmax().axis
        -1
    """

    axis: Int = -1

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.softmax(x, self.axis)


@spec
class LogSoftmax(AbstractActivation):
    """x - log Σ exp(x) along an axis, by default the last

    Example:
        >>> LogSoftmax().axis
        -1
    """

    axis: Int = -1

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.log_softmax(x, self.axis)
