"""Layers that add noise in training and do nothing otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from dnnbridge import ops
from dnnbridge.base.randomness import Normal
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.dropout import NoiseShape, dropped, kept, mask_shape
from dnnbridge.schedules import AbstractSchedule, FractionLike, KeepRate
from dnnbridge.specs.fields import DataFormat, NonNegativeFloat
from dnnbridge.specs.spec import spec

ALPHA = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
"""Limit of SELU for large negative numbers, -λα."""


@dataclass(frozen=True)
class AbstractSpatialDropout(AbstractLayer):
    """Base of dropouts of whole channels; a subclass sets the number of spatial axes."""

    rate: FractionLike
    data_format: DataFormat = "channels_last"

    axes: ClassVar[int] = 0

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank == self.axes + 2,
            f"the input must have rank {self.axes + 2}",
            got=f"shape ({shape_text(x.shape)})",
        )
        places = [1] * self.axes
        last = self.data_format == "channels_last"
        shape = (x.shape[0], *places, x.shape[-1]) if last else (*x.shape[:2], *places)
        return dropped(scope, x, self.rate, shape)


@spec
class SpatialDropout1D(AbstractSpatialDropout):
    """Dropout of whole channels of (batch, time, channels) (Tompson et al., 2015)

    Args:
        rate: fraction of the channels to drop.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> SpatialDropout1D(0.2).rate
        0.2
    """

    axes: ClassVar[int] = 1


@spec
class SpatialDropout2D(AbstractSpatialDropout):
    """Dropout of whole channels of (batch, height, width, channels) (Tompson et al., 2015)

    Args:
        rate: fraction of the channels to drop.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> SpatialDropout2D(0.2).rate
        0.2
    """

    axes: ClassVar[int] = 2


@spec
class SpatialDropout3D(AbstractSpatialDropout):
    """Dropout of whole channels of (batch, depth, height, width, channels)

    Args:
        rate: fraction of the channels to drop.
        data_format: "channels_last" or "channels_first".

    Example:
        >>> SpatialDropout3D(0.2).rate
        0.2
    """

    axes: ClassVar[int] = 3


@spec
class AlphaDropout(AbstractLayer):
    """a · (x · m + α'(1 - m)) + b, where m is 0 with probability rate; keeps mean 0 and variance 1

    α' = -λα is the limit of SELU, a = ((1 - rate)(1 + rate · α'²))^-½, b = -a · α' · rate.
    (Klambauer et al., "Self-normalizing neural networks", 2017)

    Args:
        rate: fraction of the elements to drop.
        noise_shape: shape of m, as in `Dropout`.

    Example:
        >>> AlphaDropout(0.1).rate
        0.1
    """

    rate: FractionLike
    noise_shape: NoiseShape = None

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        if not scope.sampling or self.rate == 0.0:
            return x
        m, keep = kept(scope, self.rate, mask_shape(scope, x, self.noise_shape))
        rate, a = _alpha(self.rate, keep)
        return a * (x * m + ALPHA * (1.0 - m)) - a * ALPHA * rate


def _alpha(
    rate: float | AbstractSchedule, keep: Value | float
) -> tuple[Value, Value] | tuple[float, float]:
    """Return the rate and a, as floats or as values of the graph."""
    if isinstance(keep, Value):
        changing = 1.0 - keep
        return changing, 1.0 / ops.sqrt(keep * (1.0 + changing * ALPHA**2))
    assert isinstance(rate, float)
    return rate, 1.0 / math.sqrt((1.0 - rate) * (1.0 + rate * ALPHA**2))


@spec
class GaussianNoise(AbstractLayer):
    """x + stddev · n, with standard normal n

    Example:
        >>> GaussianNoise(0.1).stddev
        0.1
    """

    stddev: NonNegativeFloat

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        if not scope.sampling or self.stddev == 0.0:
            return x
        return x + self.stddev * scope.random("noise", x.shape, Normal())


@spec
class GaussianDropout(AbstractLayer):
    """x · (1 + √(rate / (1 - rate)) · n), with standard normal n (Srivastava et al., 2014)

    Example:
        >>> GaussianDropout(0.2).rate
        0.2
    """

    rate: FractionLike

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        if not scope.sampling or self.rate == 0.0:
            return x
        noise = scope.random("noise", x.shape, Normal())
        if not isinstance(self.rate, AbstractSchedule):
            return x * (1.0 + math.sqrt(self.rate / (1.0 - self.rate)) * noise)
        keep = scope.scalar("keep", KeepRate(self.rate))
        return x * (1.0 + ops.sqrt((1.0 - keep) / keep) * noise)
