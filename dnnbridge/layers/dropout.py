"""Dropout."""

from __future__ import annotations

from typing import ClassVar

from dnnbridge import ops
from dnnbridge.base.randomness import Bernoulli, Uniform
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Dim, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.schedules import AbstractSchedule, FractionLike, KeepRate
from dnnbridge.specs.fields import PositiveInt
from dnnbridge.specs.spec import spec

NoiseShape = tuple[PositiveInt | None, ...] | None
"""Shape of a mask; None is the size of x."""


@spec
class Dropout(AbstractLayer):
    """Zero each element with probability `rate` and scale the others by 1 / (1 - rate), in training

    Evaluation and prediction do not change x. Every step draws a new mask, the same on every
    backend. `rate` is the fraction dropped, as in Keras; the positional argument of MindSpore's
    `nn.Dropout` is the fraction kept. (Srivastava et al., 2014)

    Args:
        rate: fraction of the elements to drop: a number or a schedule of the step.
        noise_shape: shape of the mask, with one size per axis of x, the batch included. None is
            the size of x. Elements along an axis of size 1 are dropped together, so
            `(None, 1, 1, 1)` drops whole images, as in stochastic depth (Huang et al., 2016).

    Raises:
        ShapeError: a size of `noise_shape` is neither None, nor 1, nor that of x.

    Example:
        >>> Dropout(0.2).rate
        0.2
        >>> Dropout(0.2, noise_shape=(None, 1, 1, 1))
        Dropout(rate=0.2, noise_shape=(None, 1, 1, 1))
    """

    rate: FractionLike
    noise_shape: NoiseShape = None

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        return dropped(scope, x, self.rate, mask_shape(scope, x, self.noise_shape))


def mask_shape(scope: Scope, x: Value, noise_shape: NoiseShape) -> tuple[Dim, ...]:
    """Return the shape of the mask for x: None stands for a size of x."""
    if noise_shape is None:
        return x.shape
    scope.require(
        len(noise_shape) == x.rank
        and all(n in (None, 1, dim) for n, dim in zip(noise_shape, x.shape, strict=True)),
        "noise_shape needs None, 1 or the size of the input for each axis, the batch included",
        got=f"{noise_shape} for shape ({shape_text(x.shape)})",
        hint="Write None for the batch, and 1 for each axis to drop as a whole.",
    )
    return tuple(dim if n is None else n for n, dim in zip(noise_shape, x.shape, strict=True))


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
