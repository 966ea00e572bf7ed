"""Convolutions over one, two and three axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self, cast

from dnnbridge import ops
from dnnbridge.activations import ActivationField
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.initializers import (
    InitializerField,
    InitializerLike,
    RandomUniform,
    VarianceScaling,
)
from dnnbridge.layers.affine import activated
from dnnbridge.layers.layout import enter
from dnnbridge.layers.weights import WithActivity, WithBias, WithKernel, weights
from dnnbridge.ops.windows import Padding
from dnnbridge.specs.fields import (
    Bool,
    CausalPadding,
    DataFormat,
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
class AbstractConv(WithKernel, WithBias, WithActivity):
    """Base of convolutions; a subclass says how many axes. `Conv2D` has the arguments."""

    filters: PositiveInt
    kernel_size: SizesLike
    strides: SizesLike = 1
    padding: PaddingLike = "valid"
    data_format: DataFormat = "channels_last"
    dilation_rate: SizesLike = 1
    groups: PositiveInt = 1
    activation: ActivationField = default("linear")
    use_bias: Bool = True
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    def emit(self, scope: Scope, x: Value) -> Value:
        window = cast(tuple[int, ...], self.kernel_size)
        axes = len(window)
        x = enter(scope, x, axes, self.data_format)
        channels = scope.known(x.shape[-1], "the kernel")
        scope.require(
            channels % self.groups == 0 and self.filters % self.groups == 0,
            "groups must divide the channels and the filters",
            got=f"{channels} channels, {self.filters} filters, {self.groups} groups",
            hint="Change groups or filters.",
        )
        shape = (*window, channels // self.groups, self.filters)
        kernel = weights(scope, self, "kernel", shape)
        strides, dilation = sizes(self.strides, axes), sizes(self.dilation_rate, axes)
        y = ops.conv(x, kernel, strides, cast(Padding, self.padding), dilation, self.groups)
        return activated(scope, y, self, self.data_format)


@spec
class Conv1D(AbstractConv):
    """Convolution over one axis: (batch, steps, channels) -> (batch, new steps, filters)

    Arguments as in `Conv2D`. Padding "causal" adds zeros only at the start, so no output depends
    on a later step (van den Oord et al., "WaveNet", 2016).

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> causal = Conv1D(4, 3, padding="causal", dilation_rate=2)
        >>> Sequential([Input((10, 3)), causal]).output_shape
        (None, 10, 4)
    """

    kernel_size: Sizes1
    strides: Sizes1 = 1
    padding: CausalPadding = "valid"
    dilation_rate: Sizes1 = 1


@spec
class Conv2D(AbstractConv):
    """activation(Σ window of x · kernel + bias): (batch, h, w, c) -> (batch, h, w, filters)

    The kernel has shape (*kernel_size, channels / groups, filters), as in Keras, and is not
    flipped. Defaults are those of Keras; `Conv2D.mindspore` has those of MindSpore. LeCun et al.,
    "Gradient-based learning applied to document recognition", 1998.

    Args:
        filters: number of output channels.
        kernel_size: size of the window, a number or one per axis.
        strides: step of the window.
        padding: "valid", no zeros; "same", zeros for ⌈size / stride⌉ outputs, an odd one at the
            end; or numbers of zeros: one, or (before, after) per axis.
        data_format: "channels_last" or "channels_first", of input and output.
        dilation_rate: distance between elements of the window.
        groups: number of groups of channels, each with its own filters.
        activation: an activation or its name.
        use_bias: whether to add a bias per filter.
        kernel_initializer: initializer of the kernel.
        bias_initializer: initializer of the bias.

    Regularizers and constraints are as in `Dense`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28, 1)), Conv2D(6, 5, padding="same")]).output_shape
        (None, 28, 28, 6)
    """

    kernel_size: Sizes2
    strides: Sizes2 = 1
    padding: Padding2 = "valid"
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
        group: int = 1,
        has_bias: bool = False,
        data_format: Literal["NCHW", "NHWC"] = "NCHW",
        weight_init: InitializerLike | None = None,
        bias_init: InitializerLike | None = None,
    ) -> Self:
        """Return `mindspore.nn.Conv2d` with these arguments; weights start as U(±1 / √fan_in)."""
        fan_in = in_channels // group * math.prod(sizes(kernel_size, 2))
        limit = 1.0 / math.sqrt(fan_in)
        return cls(
            out_channels,
            kernel_size,
            stride,
            mindspore_padding(pad_mode, padding),
            layout_named(data_format),
            dilation,
            group,
            use_bias=has_bias,
            kernel_initializer=weight_init or VarianceScaling(1.0 / 3.0, "fan_in", "uniform"),
            bias_initializer=bias_init or RandomUniform(-limit, limit),
        )


@spec
class Conv3D(AbstractConv):
    """Convolution over three axes: (batch, d, h, w, channels) -> (batch, d', h', w', filters)

    Arguments as in `Conv2D`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 8, 1)), Conv3D(4, (3, 3, 2), strides=2)]).output_shape
        (None, 3, 3, 4, 4)
    """

    kernel_size: Sizes3
    strides: Sizes3 = 1
    padding: Padding3 = "valid"
    dilation_rate: Sizes3 = 1


def mindspore_padding(pad_mode: str, padding: int | tuple[int, ...]) -> PaddingLike:
    """Return MindSpore's (top, bottom, left, right) as pairs, or the name of the mode."""
    if pad_mode != "pad":
        if padding != 0:
            raise SpecError("a non-zero padding needs pad_mode 'pad'", got=repr(padding))
        return pad_mode
    if isinstance(padding, int):
        return padding
    top, bottom, left, right = padding
    return ((top, bottom), (left, right))


def layout_named(data_format: str) -> DataFormat:
    return "channels_first" if data_format == "NCHW" else "channels_last"
