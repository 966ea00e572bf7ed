"""Dropout."""

from __future__ import annotations

from dnnbridge.fields import Fraction
from dnnbridge.graph import Dim, Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.randomness import Bernoulli
from dnnbridge.scope import Scope
from dnnbridge.specification import spec


@spec
class Dropout(AbstractLayer):
    """Zero each element with probability `rate` and scale the others by 1 / (1 - rate), in training

    Evaluation and prediction leave x as it is. The mask is drawn by core, the same on every
    backend, anew at every step. `rate` is the fraction dropped, as in Keras; the positional
    argument of MindSpore's `nn.Dropout` is the fraction kept. (Srivastava et al., 2014)

    Example:
        >>> Dropout(0.2).rate
        0.2
    """

    rate: Fraction

    def emit(self, scope: Scope, x: Value) -> Value:
        return dropped(scope, x, self.rate, x.shape)


def dropped(scope: Scope, x: Value, rate: float, shape: tuple[Dim, ...]) -> Value:
    """Return x under a scaled mask of a shape that broadcasts to it; x where none is drawn."""
    if not scope.sampling or rate == 0.0:
        return x
    keep = 1.0 - rate
    return x * scope.random("mask", shape, Bernoulli(keep)) * (1.0 / keep)
