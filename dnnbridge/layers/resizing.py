"""Layers that bring images to a size."""

from __future__ import annotations

from typing import Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.interpolation import Interpolation, resized
from dnnbridge.layers.layout import enter, leave
from dnnbridge.specs.fields import Bool, DataFormat, Float, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Resizing(AbstractLayer):
    """Images interpolated to a height and a width

    Element i of the result lies at (i + 1/2) · n / m - 1/2 of the n elements of the input. For
    "bicubic" without antialias, TensorFlow rounds these positions to 1/1024, so that Keras on it
    differs by up to 1e-3.

    Args:
        height: of the result.
        width: of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether to cut the largest part with the proportions of the result
            out of the middle first.
        pad_to_aspect_ratio: whether to add rows or columns on both sides first, for these
            proportions; only one of both can be true.
        fill_mode: "constant": what is added is fill_value.
        fill_value: a number.
        antialias: whether a smaller image is a mean of all that it covers.
        data_format: "channels_last" or "channels_first", of input and output.

    Raises:
        SpecError: crop_to_aspect_ratio and pad_to_aspect_ratio are both true.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 20, 3)), Resizing(16, 16)]).output_shape
        (None, 16, 16, 3)
    """

    height: PositiveInt
    width: PositiveInt
    interpolation: Interpolation = "bilinear"
    crop_to_aspect_ratio: Bool = False
    pad_to_aspect_ratio: Bool = False
    fill_mode: Literal["constant"] = "constant"
    fill_value: Float = 0.0
    antialias: Bool = False
    data_format: DataFormat = "channels_last"

    def __post_init__(self) -> None:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise SpecError(
                "crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other",
                where="Resizing",
                hint="Choose one of them.",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        x = enter(scope, x, 2, self.data_format)
        size = (self.height, self.width)
        if self.crop_to_aspect_ratio:
            x = middle(scope, x, proportional(scope, x, size, smaller=True))
        elif self.pad_to_aspect_ratio:
            x = self._padded(scope, x, proportional(scope, x, size, smaller=False))
        y = resized(scope, x, size, self.interpolation, self.antialias)
        return leave(y, self.data_format)

    def _padded(self, scope: Scope, x: Value, size: tuple[int, int]) -> Value:
        """Add the same number of rows or columns on both sides, up to these sizes."""
        given = spatial(scope, x)
        counts = [(m - n) // 2 for n, m in zip(given, size, strict=True)]
        return ops.pad(x, ((0, 0), *((k, k) for k in counts), (0, 0)), self.fill_value)


@spec
class CenterCrop(AbstractLayer):
    """The middle of images; a smaller image is resized to the size instead

    If the image is smaller along any axis, the largest part with the proportions of the result is
    cut out of the middle and interpolated, as by `Resizing` with crop_to_aspect_ratio. An int32
    input becomes float32.

    Args:
        height: of the result.
        width: of the result.
        data_format: "channels_last" or "channels_first", of input and output.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 3)), CenterCrop(24, 20)]).output_shape
        (None, 24, 20, 3)
    """

    height: PositiveInt
    width: PositiveInt
    data_format: DataFormat = "channels_last"

    def emit(self, scope: Scope, x: Value) -> Value:
        x = enter(scope, x if x.dtype == "float32" else ops.cast(x, "float32"), 2, self.data_format)
        size = (self.height, self.width)
        if all(n >= m for n, m in zip(spatial(scope, x), size, strict=True)):
            return leave(middle(scope, x, size), self.data_format)
        x = middle(scope, x, proportional(scope, x, size, smaller=True))
        return leave(resized(scope, x, size, "bilinear"), self.data_format)


def spatial(scope: Scope, x: Value) -> tuple[int, int]:
    """Return height and width of images with channels last."""
    return scope.known(x.shape[1], "the height"), scope.known(x.shape[2], "the width")


def proportional(scope: Scope, x: Value, size: tuple[int, int], smaller: bool) -> tuple[int, int]:
    """Return the sizes with the proportions of `size` that are next to those of the images."""
    height, width = spatial(scope, x)
    wished = width * size[0] // size[1], height * size[1] // size[0]
    if smaller:
        return max(min(height, wished[0]), 1), max(min(width, wished[1]), 1)
    return max(height, wished[0]), max(width, wished[1])


def middle(scope: Scope, x: Value, size: tuple[int, int]) -> Value:
    """Cut these sizes out of the middle of the images."""
    starts = [(n - m) // 2 for n, m in zip(spatial(scope, x), size, strict=True)]
    return ops.slice(x, (0, *starts, 0), (x.shape[0], *size, x.shape[-1]))
