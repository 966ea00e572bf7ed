"""Layers that pad axes with zeros or crop their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.layout import enter, leave
from dnnbridge.ops.windows import Pairs
from dnnbridge.specs.fields import DataFormat, NonNegativeInt, Pairs1, Pairs2, Pairs3, PairsLike
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractZeroPadding(AbstractLayer):
    """Base of padding layers. `ZeroPadding2D` has the arguments."""

    padding: PairsLike = 1
    data_format: DataFormat = "channels_last"

    def emit(self, scope: Scope, x: Value) -> Value:
        pairs = cast(Pairs, self.padding)
        x = enter(scope, x, len(pairs), self.data_format)
        return leave(ops.pad(x, ((0, 0), *pairs, (0, 0))), self.data_format)


@spec
class ZeroPadding1D(AbstractZeroPadding):
    """Zeros added before and after the steps; two numbers are (before, after)

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), ZeroPadding1D((2, 0))]).output_shape
        (None, 11, 3)
    """

    padding: Pairs1 = 1


@spec
class ZeroPadding2D(AbstractZeroPadding):
    """Zeros added around both spatial axes

    Args:
        padding: number of zeros: one number, one per axis, or (before, after) per axis.
        data_format: "channels_last" or "channels_first", of input and output.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 1)), ZeroPadding2D(((0, 1), (2, 2)))]).output_shape
        (None, 29, 32, 1)
    """

    padding: Pairs2 = 1


@spec
class ZeroPadding3D(AbstractZeroPadding):
    """Zeros added around the three spatial axes; arguments as in `ZeroPadding2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 4, 4, 1)), ZeroPadding3D((0, 1, 2))]).output_shape
        (None, 4, 6, 8, 1)
    """

    padding: Pairs3 = 1


@dataclass(frozen=True)
class AbstractCropping(AbstractLayer):
    """Base of cropping layers. `Cropping2D` has the arguments."""

    cropping: PairsLike = 0
    data_format: DataFormat = "channels_last"

    def emit(self, scope: Scope, x: Value) -> Value:
        pairs = cast(Pairs, self.cropping)
        x = enter(scope, x, len(pairs), self.data_format)
        given = [scope.known(n, "the cut") for n in x.shape[1:-1]]
        sizes = tuple(n - before - after for n, (before, after) in zip(given, pairs, strict=True))
        scope.require(
            min(sizes) > 0,
            "cropping leaves no elements",
            got=f"cropping {pairs} of sizes {tuple(given)}",
            hint="Crop fewer elements.",
        )
        starts = (0, *(before for before, _ in pairs), 0)
        y = ops.slice(x, starts, (x.shape[0], *sizes, x.shape[-1]))
        return leave(y, self.data_format)


@spec
class Cropping1D(AbstractCropping):
    """Steps removed at both ends; two numbers are (before, after)

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), Cropping1D((2, 0))]).output_shape
        (None, 7, 3)
    """

    cropping: Pairs1 = 1


@spec
class Cropping2D(AbstractCropping):
    """Elements removed at both ends of both spatial axes

    Args:
        cropping: number of elements: one number, one per axis, or (before, after) per axis.
        data_format: "channels_last" or "channels_first", of input and output.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 1)), Cropping2D(((0, 1), (2, 2)))]).output_shape
        (None, 27, 24, 1)
    """

    cropping: Pairs2 = 0


@spec
class Cropping3D(AbstractCropping):
    """Elements removed at both ends of the three spatial axes; arguments as in `Cropping2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 4, 4, 1)), Cropping3D(1)]).output_shape
        (None, 2, 2, 2, 1)
    """

    cropping: Pairs3 = 1


@spec
class PadFeatures(AbstractLayer):
    """Zeros added before and after the features, the last axis

    Args:
        before: number of zeros before.
        after: number of zeros after.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 16)), PadFeatures(8, 8)]).output_shape
        (None, 8, 8, 32)
    """

    before: NonNegativeInt
    after: NonNegativeInt

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.pad(x, (*[(0, 0)] * (x.rank - 1), (self.before, self.after)))
