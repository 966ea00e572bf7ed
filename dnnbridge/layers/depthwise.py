"""Depthwise convolutions, and separable ones, which then mix the channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from dnnbridge import ops
from dnnbridge.activations import ActivationField
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import InitializerField
from dnnbridge.layers.affine import activated
from dnnbridge.layers.layout import enter
from dnnbridge.layers.weights import (
    WithActivity,
    WithBias,
    WithDepthwiseKernel,
    WithPointwiseKernel,
    weights,
)
from dnnbridge.ops.windows import Padding
from dnnbridge.specs.fields import (
    Bool,
    CausalPadding,
    DataFormat,
    Padding2,
    PaddingLike,
    PositiveInt,
    Sizes1,
    Sizes2,
    SizesLike,
    default,
    sizes,
)
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractDepthwiseConv(WithDepthwiseKernel, WithBias, WithActivity):
    """Base of depthwise convolutions. `DepthwiseConv2D` has the arguments."""

    kernel_size: SizesLike
    strides: SizesLike = 1
    padding: PaddingLike = "valid"
    depth_multiplier: PositiveInt = 1
    data_format: DataFormat = "channels_last"
    dilation_rate: SizesLike = 1
    activation: ActivationField = default("linear")
    use_bias: Bool = True
    depthwise_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    def emit(self, scope: Scope, x: Value) -> Value:
        x = enter(scope, x, len(cast(tuple[int, ...], self.kernel_size)), self.data_format)
        y = depthwise(scope, x, self, "kernel")
        return activated(scope, y, self, self.data_format)


@spec
class DepthwiseConv1D(AbstractDepthwiseConv):
    """Separate convolution of each channel over one axis; arguments as in `DepthwiseConv2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((10, 3)), DepthwiseConv1D(3, depth_multiplier=2)]).output_shape
        (None, 8, 6)
    """

    kernel_size: Sizes1
    strides: Sizes1 = 1
    padding: CausalPadding = "valid"
    dilation_rate: Sizes1 = 1


@spec
class DepthwiseConv2D(AbstractDepthwiseConv):
    """Separate convolution of each channel over two axes

    The kernel has shape (*kernel_size, channels, depth_multiplier), as in Keras. Output channel
    c · depth_multiplier + j is input channel c convolved with its kernel j.

    Args:
        kernel_size: size of the window, a number or one per axis.
        strides: step of the window.
        padding: as in `Conv2D`.
        depth_multiplier: outputs per input channel.
        data_format: "channels_last" or "channels_first", of input and output.
        dilation_rate: distance between elements of the window.
        activation: an activation or its name.
        use_bias: whether to add a bias per output channel.
        depthwise_initializer: initializer of the kernel.
        bias_initializer: initializer of the bias.

    Regularizers and constraints have the prefixes of the initializers and work as in `Dense`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 3)), DepthwiseConv2D(3, padding="same")]).output_shape
        (None, 8, 8, 3)
    """

    kernel_size: Sizes2
    strides: Sizes2 = 1
    padding: Padding2 = "valid"
    dilation_rate: Sizes2 = 1


@dataclass(frozen=True)
class AbstractSeparableConv(WithDepthwiseKernel, WithPointwiseKernel, WithBias, WithActivity):
    """Base of separable convolutions. `SeparableConv2D` has the arguments."""

    filters: PositiveInt
    kernel_size: SizesLike
    strides: SizesLike = 1
    padding: PaddingLike = "valid"
    data_format: DataFormat = "channels_last"
    dilation_rate: SizesLike = 1
    depth_multiplier: PositiveInt = 1
    activation: ActivationField = default("linear")
    use_bias: Bool = True
    depthwise_initializer: InitializerField = default("glorot_uniform")
    pointwise_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = len(cast(tuple[int, ...], self.kernel_size))
        x = enter(scope, x, axes, self.data_format)
        each = depthwise(scope, x, self, "depthwise_kernel")
        shape = (*(1,) * axes, each.shape[-1], self.filters)
        kernel = weights(scope, self, "pointwise_kernel", shape, "pointwise")
        y = ops.conv(each, kernel, (1,) * axes)
        return activated(scope, y, self, self.data_format)


@spec
class SeparableConv1D(AbstractSeparableConv):
    """A depthwise convolution, then one with window 1; arguments as in `SeparableConv2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((10, 3)), SeparableConv1D(4, 3, strides=2)]).output_shape
        (None, 4, 4)
    """

    kernel_size: Sizes1
    strides: Sizes1 = 1
    padding: CausalPadding = "valid"
    dilation_rate: Sizes1 = 1


@spec
class SeparableConv2D(AbstractSeparableConv):
    """A depthwise convolution, then a convolution with window 1×1, which mixes the channels

    Chollet, "Xception: deep learning with depthwise separable convolutions", 2017. No activation
    or bias is between the two. Strides and dilation apply to the depthwise convolution.

    Args:
        filters: number of output channels.
        kernel_size: size of the depthwise window.
        strides: step of the window.
        padding: as in `Conv2D`.
        data_format: "channels_last" or "channels_first", of input and output.
        dilation_rate: distance between elements of the window.
        depth_multiplier: outputs of the depthwise convolution per input channel.
        activation: an activation or its name.
        use_bias: whether to add a bias per filter.
        depthwise_initializer: initializer of the kernel (*kernel_size, channels, multiplier).
        pointwise_initializer: initializer of the kernel (1, 1, channels · multiplier, filters).
        bias_initializer: initializer of the bias.

    Regularizers and constraints have the prefixes of the initializers and work as in `Dense`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 3)), SeparableConv2D(5, 3)]).output_shape
        (None, 6, 6, 5)
    """

    kernel_size: Sizes2
    strides: Sizes2 = 1
    padding: Padding2 = "valid"
    dilation_rate: Sizes2 = 1


def depthwise(
    scope: Scope,
    x: Value,
    layer: AbstractDepthwiseConv | AbstractSeparableConv,
    name: str,
) -> Value:
    """Write the depthwise convolution of a layer, and declare its kernel."""
    window = cast(tuple[int, ...], layer.kernel_size)
    strides, dilation = sizes(layer.strides, len(window)), sizes(layer.dilation_rate, len(window))
    channels, multiplier = scope.known(x.shape[-1], "the kernel"), layer.depth_multiplier
    kernel = weights(scope, layer, name, (*window, channels, multiplier), "depthwise")
    grouped = ops.reshape(kernel, (*window, 1, channels * multiplier))
    return ops.conv(x, grouped, strides, cast(Padding, layer.padding), dilation, channels)
