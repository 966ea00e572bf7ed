"""A layer that only adds to the loss."""

from __future__ import annotations

from typing import ClassVar

from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.spec import spec
from dnnbridge.weights.regularizers import L1L2


@spec
class ActivityRegularization(AbstractLayer):
    """x unchanged; adds the mean over the examples of l1 · Σ |x| + l2 · Σ x² to the loss

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Example:
        >>> from dnnbridge import Dense, Input, Sequential
        >>> Sequential([Input((3,)), Dense(4), ActivityRegularization(l1=1e-3)]).output_shape
        (None, 4)
    """

    l1: NonNegativeFloat = 0.0
    l2: NonNegativeFloat = 0.0

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.add_loss(L1L2(self.l1, self.l2).per_example(x))
        return x
