"""Pooling to a given size: windows that cover the input evenly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.layout import enter, leave
from dnnbridge.specs.fields import DataFormat, Sizes1, Sizes2, Sizes3, SizesLike
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractAdaptivePooling(AbstractLayer):
    """Base of pooling to a size. `AdaptiveAveragePooling2D` has the arguments.

    A subclass sets `mean` for the mean or the maximum.
    """

    output_size: SizesLike
    data_format: DataFormat = "channels_last"

    mean: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        wanted = cast(tuple[int, ...], self.output_size)
        x = enter(scope, x, len(wanted), self.data_format)
        for axis, size in enumerate(wanted, 1):
            x = _pooled(x, axis, size, self.mean)
        return leave(x, self.data_format)


def _pooled(x: Value, axis: int, wanted: int, mean: bool) -> Value:
    """Pool along one axis to a size.

    Windows repeat: with g, the greatest common divisor of both sizes, n / g elements of the input
    have wanted / g windows. So each of these is a pool with the step n / g, and the pools take
    turns in the result.
    """
    n = int(x.shape[axis] or 0)
    g = math.gcd(n, wanted)
    step, turns = n // g, wanted // g
    pools = [
        _window(x, axis, k * n // wanted, -(-(k + 1) * n // wanted), step, g, mean)
        for k in range(turns)
    ]
    if turns == 1:
        return pools[0]
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    rows = [ops.reshape(pool, (*before, g, 1, *after)) for pool in pools]
    return ops.reshape(ops.concat(rows, axis + 1), (*before, wanted, *after))


def _window(x: Value, axis: int, start: int, end: int, step: int, count: int, mean: bool) -> Value:
    """Pool `count` windows along an axis: the first from start to end, the others step by step."""
    size = end - start
    sizes = list(x.shape)
    sizes[axis] = (count - 1) * step + size
    starts = tuple(start if i == axis else 0 for i in range(x.rank))
    part = x if x.shape == tuple(sizes) else ops.slice(x, starts, tuple(sizes))
    window = [size if i == axis else 1 for i in range(1, x.rank - 1)]
    strides = [step if i == axis else 1 for i in range(1, x.rank - 1)]
    return (ops.avg_pool if mean else ops.max_pool)(part, window, strides)


@spec
class AdaptiveAveragePooling1D(AbstractAdaptivePooling):
    """Mean of windows over one axis; arguments as in `AdaptiveAveragePooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), AdaptiveAveragePooling1D(4)]).output_shape
        (None, 4, 3)
    """

    output_size: Sizes1


@spec
class AdaptiveAveragePooling2D(AbstractAdaptivePooling):
    """Mean of windows that divide two axes evenly, per channel

    Window k of n reaches from ⌊k · size / n⌋ to ⌈(k + 1) · size / n⌉, so neighbours overlap if n
    does not divide the size. The layer pools along one axis after the other, as in Keras.

    Args:
        output_size: sizes of the result, a number or one per axis.
        data_format: "channels_last" or "channels_first", of input and output.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 9, 5)), AdaptiveAveragePooling2D((4, 2))]).output_shape
        (None, 4, 2, 5)
    """

    output_size: Sizes2


@spec
class AdaptiveAveragePooling3D(AbstractAdaptivePooling):
    """Mean of windows over three axes; arguments as in `AdaptiveAveragePooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 6, 8, 3)), AdaptiveAveragePooling3D(2)]).output_shape
        (None, 2, 2, 2, 3)
    """

    output_size: Sizes3


@spec
class AdaptiveMaxPooling1D(AbstractAdaptivePooling):
    """Maximum of windows over one axis; arguments as in `AdaptiveMaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), AdaptiveMaxPooling1D(4)]).output_shape
        (None, 4, 3)
    """

    output_size: Sizes1

    mean: ClassVar[bool] = False


@spec
class AdaptiveMaxPooling2D(AbstractAdaptivePooling):
    """Maximum of windows that divide two axes evenly, per channel

    Window k of n reaches from ⌊k · size / n⌋ to ⌈(k + 1) · size / n⌉, so neighbours overlap if n
    does not divide the size. The layer pools along one axis after the other, as in Keras.
    In a tie along an axis the first maximum gets the gradient.

    Args:
        output_size: sizes of the result, a number or one per axis.
        data_format: "channels_last" or "channels_first", of input and output.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 9, 5)), AdaptiveMaxPooling2D((4, 2))]).output_shape
        (None, 4, 2, 5)
    """

    output_size: Sizes2

    mean: ClassVar[bool] = False


@spec
class AdaptiveMaxPooling3D(AbstractAdaptivePooling):
    """Maximum of windows over three axes; arguments as in `AdaptiveMaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 6, 8, 3)), AdaptiveMaxPooling3D(2)]).output_shape
        (None, 2, 2, 2, 3)
    """

    output_size: Sizes3

    mean: ClassVar[bool] = False
