"""Transposed convolutions, which enlarge an input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self, cast

from dnnbridge import ops
from dnnbridge.activations import ActivationField
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import (
    InitializerField,
    InitializerLike,
    RandomUniform,
    VarianceScaling,
)
from dnnbridge.layers.affine import activated
from dnnbridge.layers.convolution import layout_named, mindspore_padding
from dnnbridge.layers.layout import enter
from dnnbridge.layers.weights import WithActivity, WithBias, WithKernel, weights
from dnnbridge.ops.windows import Padding
from dnnbridge.specs.fields import (
    Bool,
    Counts1,
    Counts2,
    Counts3,
    DataFormat,
    Padding1,
    Padding2,
    Padding3,
    PaddingLike,
    PositiveInt,
    Sizes1,
    Sizes2,
    Sizes3,
    SizesLike,
    default,
    sizes,
)
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractConvTranspose(WithKernel, WithBias, WithActivity):
    """Base of transposed convolutions. `Conv2DTranspose` has the arguments."""

    filters: PositiveInt
    kernel_size: SizesLike
    strides: SizesLike = 1
    padding: PaddingLike = "valid"
    output_padding: SizesLike | None = None
    data_format: DataFormat = "channels_last"
    dilation_rate: SizesLike = 1
    activation: ActivationField = default("linear")
    use_bias: Bool = True
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    def emit(self, scope: Scope, x: Value) -> Value:
        window = cast(tuple[int, ...], self.kernel_size)
        axes = len(window)
        x = enter(scope, x, axes, self.data_format)
        shape = (*window, self.filters, scope.known(x.shape[-1], "the kernel"))
        kernel = weights(scope, self, "kernel", shape)
        strides, dilation = sizes(self.strides, axes), sizes(self.dilation_rate, axes)
        grown = tuple(self._size(i, scope.known(n, "")) for i, n in enumerate(x.shape[1:-1]))
        y = ops.conv_transpose(x, kernel, strides, grown, cast(Padding, self.padding), dilation)
        return activated(scope, y, self, self.data_format)

    def _size(self, axis: int, n: int) -> int:
        """Return the size of the output along an axis, as in Keras."""
        kernel, stride, dilation = (
            cast(tuple[int, ...], each)[axis]
            for each in (self.kernel_size, self.strides, self.dilation_rate)
        )
        extent = (kernel - 1) * dilation + 1
        given = cast(tuple[int, ...] | None, self.output_padding)
        extra = None if given is None else given[axis]
        if self.padding == "same":
            return n * stride if extra is None else (n - 1) * stride + extent % 2 + extra
        whole = (n - 1) * stride + extent
        if self.padding == "valid":
            return whole + (max(stride - extent, 0) if extra is None else extra)
        before, after = cast(tuple[tuple[int, int], ...], self.padding)[axis]
        return whole - before - after + (extra or 0)


@spec
class Conv1DTranspose(AbstractConvTranspose):
    """Transposed convolution over one axis; arguments as in `Conv2DTranspose`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5, 3)), Conv1DTranspose(4, 3, strides=2)]).output_shape
        (None, 11, 4)
    """

    kernel_size: Sizes1
    strides: Sizes1 = 1
    padding: Padding1 = "valid"
    output_padding: Counts1 = None
    dilation_rate: Sizes1 = 1


@spec
class Conv2DTranspose(AbstractConvTranspose):
    """The transpose of a convolution over two axes: each input adds its multiple of the kernel

    The kernel has shape (*kernel_size, filters, channels), as in Keras. Let
    e = (k - 1) · dilation + 1 be the extent of the kernel. From an axis of n elements, "valid"
    makes (n - 1) · stride + e, but at least n · stride; "same" makes n · stride. Zeiler et al.,
    "Deconvolutional networks", 2010.

    Args:
        filters: number of output channels.
        kernel_size: size of the window, a number or one per axis.
        strides: distance of neighbouring inputs in the output.
        padding: "valid", "same", or the number of output elements to drop: a number, or
            (before, after) per axis.
        output_padding: number of output elements after the last window: a number, or one per axis,
            less than the stride. With "same" the size becomes
            (n - 1) · stride + e % 2 + output_padding, as in Keras.
        data_format: "channels_last" or "channels_first", of input and output.
        dilation_rate: distance between elements of the window.
        activation: an activation or its name.
        use_bias: whether to add a bias per filter.
        kernel_initializer: initializer of the kernel.
        bias_initializer: initializer of the bias.

    Regularizers and constraints are as in `Dense`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> grow = Conv2DTranspose(4, 3, strides=2, padding="same")
        >>> Sequential([Input((7, 7, 3)), grow]).output_shape
        (None, 14, 14, 4)
    """

    kernel_size: Sizes2
    strides: Sizes2 = 1
    padding: Padding2 = "valid"
    output_padding: Counts2 = None
    dilation_rate: Sizes2 = 1

    @classmethod
    def mindspore(
        cls,
        in_channels: int,
        out_channels: int,
        kernel_size: SizesLike,
        stride: SizesLike = 1,
        pad_mode: Literal["same", "valid", "pad"] = "same",
        padding: int | tuple[int, int, int, int] = 0,
        dilation: SizesLike = 1,
        has_bias: bool = False,
        weight_init: InitializerLike | None = None,
        bias_init: InitializerLike | None = None,
    ) -> Self:
        """Return `mindspore.nn.Conv2dTranspose` with these arguments, channels first."""
        limit = 1.0 / math.sqrt(out_channels * math.prod(sizes(kernel_size, 2)))
        return cls(
            out_channels,
            kernel_size,
            stride,
            mindspore_padding(pad_mode, padding),
            None,
            layout_named("NCHW"),
            dilation,
            use_bias=has_bias,
            kernel_initializer=weight_init or VarianceScaling(1.0 / 3.0, "fan_in", "uniform"),
            bias_initializer=bias_init or RandomUniform(-limit, limit),
        )


@spec
class Conv3DTranspose(AbstractConvTranspose):
    """Transposed convolution over three axes; arguments as in `Conv2DTranspose`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 4, 4, 3)), Conv3DTranspose(2, 2, strides=2)]).output_shape
        (None, 8, 8, 8, 2)
    """

    kernel_size: Sizes3
    strides: Sizes3 = 1
    padding: Padding3 = "valid"
    output_padding: Counts3 = None
    dilation_rate: Sizes3 = 1
