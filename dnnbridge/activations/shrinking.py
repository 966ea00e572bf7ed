"""Activations that pull numbers toward 0."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.spec import spec


@spec
class SoftShrink(AbstractActivation):
    """x - threshold above threshold, x + threshold below -threshold, 0 between

    The derivative at both thresholds is 0.

    Args:
        threshold: how far numbers are pulled toward 0.

    Example:
        >>> SoftShrink(0.5)([-2.0, 0.25, 1.0])
        array([-1.5,  0. ,  0.5])
    """

    threshold: NonNegativeFloat = 0.5

    def emit(self, scope: Scope, x: Value) -> Value:
        t = self.threshold
        return ops.where(x > t, x - t, ops.where(-x > t, x + t, 0.0))


@spec
class HardShrink(AbstractActivation):
    """x where |x| > threshold, 0 elsewhere; the derivative at both thresholds is 0

    Args:
        threshold: numbers at most this far from 0 become 0.

    Example:
        >>> HardShrink(0.5)([-2.0, 0.25, 1.0])
        array([-2.,  0.,  1.])
    """

    threshold: NonNegativeFloat = 0.5

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.where(ops.abs(x) > self.threshold, x, 0.0)


@spec
class TanhShrink(AbstractActivation):
    """x - tanh(x)

    Near 0 this difference of almost equal numbers has few digits in float32, as in Keras.

    Example:
        >>> TanhShrink()([0.0, 2.0]).round(4)
        array([0.   , 1.036])
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return x - ops.tanh(x)
