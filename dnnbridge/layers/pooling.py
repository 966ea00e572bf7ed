"""Pooling: the maximum or mean of a moving window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, cast

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.convolution import layout_named, mindspore_padding
from dnnbridge.layers.layout import enter, leave
from dnnbridge.layers.pooling_windows import dilated_max_pool, pairs_of
from dnnbridge.ops.windows import Padding
from dnnbridge.specs.fields import (
    Bool,
    DataFormat,
    Padding1,
    Padding2,
    Padding3,
    PaddingLike,
    Sizes1,
    Sizes2,
    Sizes3,
    SizesLike,
    sizes,
)
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractPooling(AbstractLayer):
    """Base of pooling layers. `MaxPooling2D` and `AveragePooling2D` have the arguments."""

    pool_size: SizesLike = 2
    strides: SizesLike | None = None
    padding: PaddingLike = "valid"
    data_format: DataFormat = "channels_last"

    def _window(self) -> tuple[tuple[int, ...], tuple[int, ...], Padding]:
        window = cast(tuple[int, ...], self.pool_size)
        strides = window if self.strides is None else sizes(self.strides, len(window))
        return window, strides, cast(Padding, self.padding)


@dataclass(frozen=True)
class AbstractMaxPooling(AbstractPooling):
    """Base of max pooling."""

    ceil_mode: Bool = False
    dilation_rate: SizesLike = 1

    def emit(self, scope: Scope, x: Value) -> Value:
        window, strides, padding = self._window()
        x = enter(scope, x, len(window), self.data_format)
        dilation = sizes(self.dilation_rate, len(window))
        pairs, more = pairs_of(scope, x, window, strides, padding, dilation, self.ceil_mode)
        whole = tuple((a, b + c) for (a, b), c in zip(pairs, more, strict=True))
        if max(dilation) == 1:
            y = ops.max_pool(x, window, strides, whole)
        else:
            y = dilated_max_pool(x, window, strides, whole, dilation)
        return leave(y, self.data_format)


@dataclass(frozen=True)
class AbstractAveragePooling(AbstractPooling):
    """Base of average pooling."""

    count_include_pad: Bool = False
    ceil_mode: Bool = False

    def emit(self, scope: Scope, x: Value) -> Value:
        window, strides, padding = self._window()
        x = enter(scope, x, len(window), self.data_format)
        ones, counted = (1,) * len(window), self.count_include_pad
        pairs, more = pairs_of(scope, x, window, strides, padding, ones, self.ceil_mode)
        if any(more) and counted:  # what makes the last window whole never counts
            x = ops.pad(x, ((0, 0), *pairs, (0, 0)))
            pairs, counted = ((0, 0),) * len(window), False
        whole = tuple((a, b + c) for (a, b), c in zip(pairs, more, strict=True))
        return leave(ops.avg_pool(x, window, strides, whole, counted), self.data_format)


@spec
class MaxPooling1D(AbstractMaxPooling):
    """Maximum of a window over one axis; arguments as in `MaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), MaxPooling1D(2, padding="same")]).output_shape
        (None, 5, 3)
    """

    pool_size: Sizes1 = 2
    strides: Sizes1 | None = None
    padding: Padding1 = "valid"
    dilation_rate: Sizes1 = 1


@spec
class MaxPooling2D(AbstractMaxPooling):
    """Maximum of a window over two axes, per channel

    Padding counts as -∞. In a tie the first maximum gets the gradient, as in Keras and MindSpore.

    Args:
        pool_size: size of the window, a number or one per axis.
        strides: step of the window; by default its size.
        padding: "valid", "same", or numbers of elements: one, or (before, after) per axis.
        data_format: "channels_last" or "channels_first", of input and output.
        ceil_mode: whether a last window counts that is not whole, if it begins in the input.
        dilation_rate: distance between elements of the window, a number or one per axis.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 6)), MaxPooling2D()]).output_shape
        (None, 14, 14, 6)
    """

    pool_size: Sizes2 = 2
    strides: Sizes2 | None = None
    padding: Padding2 = "valid"
    dilation_rate: Sizes2 = 1

    @classmethod
    def mindspore(
        cls,
        kernel_size: SizesLike = 1,
        stride: SizesLike = 1,
        pad_mode: Literal["same", "valid", "pad"] = "valid",
        padding: int = 0,
        dilation: SizesLike = 1,
        ceil_mode: bool = False,
        data_format: Literal["NCHW", "NHWC"] = "NCHW",
    ) -> Self:
        """Return `mindspore.nn.MaxPool2d` with these arguments, without return_indices."""
        given = mindspore_padding(pad_mode, padding)
        return cls(kernel_size, stride, given, layout_named(data_format), ceil_mode, dilation)


@spec
class MaxPooling3D(AbstractMaxPooling):
    """Maximum of a window over three axes; arguments as in `MaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 6, 8, 3)), MaxPooling3D((1, 2, 2))]).output_shape
        (None, 4, 3, 4, 3)
    """

    pool_size: Sizes3 = 2
    strides: Sizes3 | None = None
    padding: Padding3 = "valid"
    dilation_rate: Sizes3 = 1


@spec
class AveragePooling1D(AbstractAveragePooling):
    """Mean of a window over one axis; arguments as in `AveragePooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), AveragePooling1D(3, strides=1)]).output_shape
        (None, 7, 3)
    """

    pool_size: Sizes1 = 2
    strides: Sizes1 | None = None
    padding: Padding1 = "valid"


@spec
class AveragePooling2D(AbstractAveragePooling):
    """Mean of a window over two axes, per channel

    Args:
        pool_size: size of the window, a number or one per axis.
        strides: step of the window; by default its size.
        padding: as in `MaxPooling2D`.
        data_format: "channels_last" or "channels_first", of input and output.
        count_include_pad: whether padding counts, as zeros. With "same" it counts in neither
            framework. With numbers it counts in MindSpore by default.
        ceil_mode: whether a last window counts that is not whole, if it begins in the input. What
            is missing does not count as padding.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 6)), AveragePooling2D((2, 4))]).output_shape
        (None, 14, 7, 6)
    """

    pool_size: Sizes2 = 2
    strides: Sizes2 | None = None
    padding: Padding2 = "valid"

    @classmethod
    def mindspore(
        cls,
        kernel_size: SizesLike = 1,
        stride: SizesLike = 1,
        pad_mode: Literal["same", "valid", "pad"] = "valid",
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        data_format: Literal["NCHW", "NHWC"] = "NCHW",
    ) -> Self:
        """Return `mindspore.nn.AvgPool2d` with these arguments, without divisor_override."""
        counted = count_include_pad and pad_mode == "pad"
        given = mindspore_padding(pad_mode, padding)
        return cls(kernel_size, stride, given, layout_named(data_format), counted, ceil_mode)


@spec
class AveragePooling3D(AbstractAveragePooling):
    """Mean of a window over three axes; arguments as in `AveragePooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 6, 8, 3)), AveragePooling3D()]).output_shape
        (None, 2, 3, 4, 3)
    """

    pool_size: Sizes3 = 2
    strides: Sizes3 | None = None
    padding: Padding3 = "valid"
