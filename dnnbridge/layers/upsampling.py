"""Layers that repeat or interpolate along the spatial axes."""

from __future__ import annotations

from typing import cast

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.interpolation import Interpolation, resized
from dnnbridge.layers.layout import enter, leave
from dnnbridge.specs.fields import DataFormat, Sizes1, Sizes2, Sizes3, SizesLike
from dnnbridge.specs.spec import spec


@spec
class UpSampling1D(AbstractLayer):
    """Each step repeated `size` times

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), UpSampling1D(2)]).output_shape
        (None, 18, 3)
    """

    size: Sizes1 = 2
    data_format: DataFormat = "channels_last"

    def emit(self, scope: Scope, x: Value) -> Value:
        return _nearest(scope, x, self.size, self.data_format)


@spec
class UpSampling2D(AbstractLayer):
    """Each element repeated along both spatial axes, or an interpolation

    Args:
        size: factor of the sizes, a number or one per axis.
        data_format: "channels_last" or "channels_first", of input and output.
        interpolation: "nearest" repeats elements. "bilinear", "bicubic", "lanczos3" and "lanczos5"
            interpolate element i at position (i + ½) / size - ½ between its neighbours, as in
            Keras.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> grow = UpSampling2D((2, 3), interpolation="bilinear")
        >>> Sequential([Input((4, 5, 3)), grow]).output_shape
        (None, 8, 15, 3)
    """

    size: Sizes2 = 2
    data_format: DataFormat = "channels_last"
    interpolation: Interpolation = "nearest"

    def emit(self, scope: Scope, x: Value) -> Value:
        if self.interpolation == "nearest":
            return _nearest(scope, x, self.size, self.data_format)
        y = enter(scope, x, 2, self.data_format)
        times = cast(tuple[int, ...], self.size)
        given = zip(y.shape[1:-1], times, strict=True)
        sizes = [scope.known(n, "the size") * k for n, k in given]
        return leave(resized(scope, y, sizes, self.interpolation), self.data_format)


@spec
class UpSampling3D(AbstractLayer):
    """Each element repeated along the three spatial axes

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((2, 3, 4, 1)), UpSampling3D((1, 2, 3))]).output_shape
        (None, 2, 6, 12, 1)
    """

    size: Sizes3 = 2
    data_format: DataFormat = "channels_last"

    def emit(self, scope: Scope, x: Value) -> Value:
        return _nearest(scope, x, self.size, self.data_format)


def _nearest(scope: Scope, x: Value, size: SizesLike, data_format: DataFormat) -> Value:
    """Repeat along a new axis after each spatial axis, then merge both."""
    times = cast(tuple[int, ...], size)
    x = enter(scope, x, len(times), data_format)
    batch, channels = x.shape[0], x.shape[-1]
    sizes = [scope.known(n, "the size") for n in x.shape[1:-1]]
    ones = [part for n in sizes for part in (n, 1)]
    repeated = [part for pair in zip(sizes, times, strict=True) for part in pair]
    grown = [n * k for n, k in zip(sizes, times, strict=True)]
    y = ops.broadcast_to(ops.reshape(x, (batch, *ones, channels)), (batch, *repeated, channels))
    return leave(ops.reshape(y, (batch, *grown, channels)), data_format)
