"""Dropout."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.base.randomness import Bernoulli, Uniform
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Dim, Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.schedules import AbstractSchedule, FractionLike, KeepRate
from dnnbridge.specs.spec import spec


@spec
class Dropout(AbstractLayer):
    """Zero each element with probability `rate` and scale the others by 1 / (1 - rate), in training

    Evaluation and prediction do not change x. Every step draws a new mask, the same on every
    backend. `rate` is the fraction dropped, as in Keras; the positional argument of MindSpore's
    `nn.Dropout` is the fraction kept. (Srivastava et al., 2014)

    Args:
        rate: fraction of the elements to drop: a number or a schedule of the step.

    Example:
        >>> Dropout(0.2).rate
        0.2
    """

    rate: FractionLike

    def emit(self, scope: Scope, x: Value) -> Value:
        return dropped(scope, x, self.rate, x.shape)


def dropped(
    scope: Scope, x: Value, rate: float | AbstractSchedule, shape: tuple[Dim, ...]
) -> Value:
    """Return x times a scaled mask of a shape that broadcasts to x, or x without dropout."""
    if not scope.sampling or rate == 0.0:
        return x
    mask, keep = kept(scope, rate, shape)
    return x * mask * (1.0 / keep)


def kept(
    scope: Scope, rate: float | AbstractSchedule, shape: tuple[Dim, ...]
) -> tuple[Value, Value | float]:
    """Return a mask that is 1 with probability 1 - rate, else 0, and that probability.

    At a step, a schedule gives the same mask as its number would.
    """
    if not isinstance(rate, AbstractSchedule):
        return scope.random("mask", shape, Bernoulli(1.0 - rate)), 1.0 - rate
    keep = scope.scalar("keep", KeepRate(rate))
    drawn = scope.random("mask", shape, Uniform())
    return ops.where(keep > drawn, 1.0, 0.0), keep
