"""Activations of sparse predictions: exactly 0 from -1 down."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.spec import spec


@spec
class SparsePlus(AbstractActivation):
    """0 below -1, (x + 1)² / 4 between -1 and 1, x above 1

    The derivative is 0 at -1 and 1 at 1, from both sides. It is the integral of SparseSigmoid.

    Example:
        >>> SparsePlus()([-2.0, 0.0, 3.0])
        array([0.  , 0.25, 3.  ])
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        between = ops.square(ops.clip(x, -1.0, 1.0) + 1.0) / 4.0
        return between + ops.relu(x - 1.0)


@spec
class SparseSigmoid(AbstractActivation):
    """(x + 1) / 2 clipped to [0, 1], with derivative 0 at both ends

    Example:
        >>> SparseSigmoid()([-2.0, 0.0, 0.5, 3.0])
        array([0.  , 0.5 , 0.75, 1.  ])
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.minimum(1.0, ops.relu(0.5 * (x + 1.0)))  # at the tie the gradient goes to the 1
