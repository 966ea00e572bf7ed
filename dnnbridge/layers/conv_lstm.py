"""LSTMs whose kernels are convolutions, over one, two and three axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, cast

from pydantic import BeforeValidator

from dnnbridge import ops
from dnnbridge.activations import ActivationField
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.initializers import AbstractInitializer, ForgetBias
from dnnbridge.layers.recurrence import AbstractRecurrent, Step
from dnnbridge.layers.recurrent import gated
from dnnbridge.layers.weights import weights
from dnnbridge.ops.windows import pad_pairs, places
from dnnbridge.specs.fields import (
    Bool,
    DataFormat,
    PositiveInt,
    Sizes1,
    Sizes2,
    Sizes3,
    SizesLike,
    default,
    lower,
    sizes,
)
from dnnbridge.specs.spec import spec

NamedPadding = Annotated[Literal["valid", "same"], BeforeValidator(lower)]


@dataclass(frozen=True)
class AbstractConvLSTM(AbstractRecurrent):
    """Base of LSTMs of convolutions; a subclass says how many axes.

    `ConvLSTM2D` has the arguments.
    """

    filters: PositiveInt
    kernel_size: SizesLike
    strides: SizesLike = 1
    padding: NamedPadding = "valid"
    data_format: DataFormat = "channels_last"
    dilation_rate: SizesLike = 1
    activation: ActivationField = default("tanh")
    recurrent_activation: ActivationField = default("sigmoid")
    unit_forget_bias: Bool = True

    state_names: ClassVar[tuple[str, ...]] = ("h", "c")

    def __post_init__(self) -> None:
        if max(self._strides) > 1 and max(self._dilation) > 1:
            raise SpecError(
                "strides and dilation_rate cannot both be larger than 1",
                where=type(self).__name__,
                got=f"strides={self.strides}, dilation_rate={self.dilation_rate}",
                hint="Leave one of them out.",
            )

    @property
    def _window(self) -> tuple[int, ...]:
        return cast(tuple[int, ...], self.kernel_size)

    @property
    def _strides(self) -> tuple[int, ...]:
        return sizes(self.strides, self.axes)

    @property
    def _dilation(self) -> tuple[int, ...]:
        return sizes(self.dilation_rate, self.axes)

    def starting_bias(self) -> AbstractInitializer:
        start = super().starting_bias()
        return ForgetBias(start) if self.unit_forget_bias else start

    def state_type(self, scope: Scope, x: Value) -> TensorType:
        first = self.data_format == "channels_first"
        space = x.shape[3:] if first else x.shape[2:-1]
        given = self._window, self._strides
        pairs = pad_pairs(self.padding, space, *given, self._dilation)
        made = places("a ConvLSTM", space, *given, pairs, self._dilation)
        found = (self.filters, *made) if first else (*made, self.filters)
        return TensorType((x.shape[0], *found))

    def enter(self, x: Value, before: int) -> Value:
        if self.data_format == "channels_last":
            return x
        return ops.transpose(x, (*range(before), *range(before + 1, x.rank), before))

    def leave(self, y: Value, before: int) -> Value:
        if self.data_format == "channels_last":
            return y
        return ops.transpose(y, (*range(before), y.rank - 1, *range(before, y.rank - 1)))

    def prepared(self, scope: Scope, x: Value) -> tuple[Value, Step]:
        channels, width = scope.known(x.shape[-1], "the kernel"), 4 * self.filters
        kernel = weights(scope, self, "kernel", (*self._window, channels, width))
        shape = (*self._window, self.filters, width)
        recurrent = weights(scope, self, "recurrent_kernel", shape, "recurrent")
        start = self.starting_bias()
        bias = weights(scope, self, "bias", (width,), start=start) if self.use_bias else None

        def step(inner: Scope, x: Value, h: Value, states: tuple[Value, ...]) -> tuple[Value, ...]:
            y = ops.conv(x, kernel, self._strides, self.padding, self._dilation)
            y = y if bias is None else y + bias
            blocks = y + ops.conv(h, recurrent, (1,) * self.axes, "same")
            return gated(inner, self, blocks, states[1])

        return x, step


@spec
class ConvLSTM1D(AbstractConvLSTM):
    """An LSTM of sequences of lines: (batch, time, steps, channels) -> (batch, new steps, filters)

    Arguments as in `ConvLSTM2D`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5, 9, 3)), ConvLSTM1D(4, 3, return_sequences=True)]).output_shape
        (None, 5, 7, 4)
    """

    kernel_size: Sizes1
    strides: Sizes1 = 1
    dilation_rate: Sizes1 = 1

    axes: ClassVar[int] = 1


@spec
class ConvLSTM2D(AbstractConvLSTM):
    """An LSTM of sequences of images: (batch, time, h, w, c) -> (batch, new h, new w, filters)

    c ← f · c + i · g and h ← o · activation(c), as in `LSTM`. The blocks i, f, g, o are those of
    conv(x, kernel) + bias + conv(h, recurrent_kernel). The second convolution has padding "same"
    and no strides. Kernels have shapes (*kernel_size, c, 4 · filters) and (*kernel_size, filters,
    4 · filters), as in Keras. (Shi et al., 2015)

    Args:
        filters: number of channels of each of the two states.
        kernel_size: size of the windows, a number or one per axis.
        strides: step of the window over the input.
        padding: "valid", no zeros, or "same": zeros around the input for ⌈size / stride⌉ outputs.
        data_format: "channels_last" or "channels_first", of input, output and states.
        dilation_rate: distance between elements of the window over the input.
        activation: activation of the candidate g and of the cell state.
        recurrent_activation: activation of the gates.
        unit_forget_bias: initialize the bias of the forget gate with 1.

    The other arguments are as in every recurrent layer.

    Raises:
        SpecError: strides and dilation_rate are both larger than 1.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5, 8, 8, 3)), ConvLSTM2D(4, 3, padding="same")]).output_shape
        (None, 8, 8, 4)
    """

    kernel_size: Sizes2
    strides: Sizes2 = 1
    dilation_rate: Sizes2 = 1

    axes: ClassVar[int] = 2


@spec
class ConvLSTM3D(AbstractConvLSTM):
    """An LSTM of sequences of volumes: (batch, time, d, h, w, c) -> (batch, d', h', w', filters)

    Arguments as in `ConvLSTM2D`.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5, 4, 4, 4, 1)), ConvLSTM3D(2, (3, 3, 2))]).output_shape
        (None, 2, 2, 3, 2)
    """

    kernel_size: Sizes3
    strides: Sizes3 = 1
    dilation_rate: Sizes3 = 1

    axes: ClassVar[int] = 3
