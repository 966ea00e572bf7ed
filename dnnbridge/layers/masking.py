"""Masks of time steps: layers that make them, and one that takes them off."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DTypeError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Float, Int
from dnnbridge.specs.spec import spec


@spec
class Masking(AbstractLayer):
    """Steps whose features are all `mask_value` are padding: they become 0 and get a mask

    The layers after it use the mask and pass it on as in Keras. Recurrent layers keep their state
    at such steps. Attention, `GlobalAveragePooling1D` and `BatchNormalization` leave them out, and
    so do the loss and the metrics if the mask reaches the output of the model.

    Args:
        mask_value: the number that fills short sequences.

    Example:
        >>> from dnnbridge import Input, LSTM, Sequential
        >>> Sequential([Input((7, 3)), Masking(), LSTM(4)]).output_shape
        (None, 4)
    """

    mask_value: Float = 0.0

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank >= 3 and x.dtype == "float32",
            "Masking needs steps of features (batch, time, …, features)",
            got=str(x.type),
            hint="For words, write Embedding(…, mask_zero=True).",
        )
        return ops.where(self._real(x, keepdims=True) > 0.5, x, 0.0)

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return self._real(inputs[0])

    def _real(self, x: Value, keepdims: bool = False) -> Value:
        return ops.reduce_max(real(x, self.mask_value), -1, keepdims)


@spec
class Unmask(AbstractLayer):
    """x without its mask, for layers that should use all steps

    In Keras, an operation of `keras.ops` takes the mask off, and so does an operator such as
    `x + y`. Here operators keep it.

    Example:
        >>> from dnnbridge import GlobalAveragePooling1D, Input, Masking, Sequential
        >>> layers = [Masking(), Unmask(), GlobalAveragePooling1D()]
        >>> Sequential([Input((7, 3)), *layers]).output_shape
        (None, 3)
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return x


@spec
class SetMask(AbstractLayer):
    """x with a given mask of its steps: layers after it use the mask, as after a `Masking`

    The inputs are x and the mask: float32, 1 for real steps, or bool. Its shape is (batch, time)
    or as many of the axes of x as it has. It replaces a mask that x has. In Keras this is the
    argument `mask=…` of a call.

    Example:
        >>> from dnnbridge import Input, LSTM, Model
        >>> x, real = Input((7, 3)), Input((7,), "bool")
        >>> Model([x, real], LSTM(4)(SetMask()(x, real))).output_shape
        (None, 4)
    """

    def emit(self, scope: Scope, x: Value, mask: Value) -> Value:
        as_steps(scope, _as_float(mask), x)
        return x

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return _as_float(inputs[1])


def _as_float(mask: Value) -> Value:
    return ops.cast(mask, "float32") if mask.dtype == "bool" else mask


@spec
class PaddingMask(AbstractLayer):
    """1 where an integer is real, 0 where it is padding: (batch, time), float32

    Recurrent layers, attention and pooling take this mask as an input.

    Args:
        padding_idx: the number that fills short sequences.

    Example:
        >>> from dnnbridge import Input, Model
        >>> words = Input((7,), "int32")
        >>> Model(words, PaddingMask()(words)).output_shape
        (None, 7)
    """

    padding_idx: Int = 0

    def emit(self, scope: Scope, x: Value) -> Value:
        require_int32(scope, x)
        return real(x, self.padding_idx)


def real(x: Value, padding: float) -> Value:
    """Return 1 where x is not the padding, else 0."""
    return 1.0 - ops.cast(ops.equal(x, padding), "float32")


def as_steps(scope: Scope, mask: Value, x: Value) -> Value:
    """Return a mask with axes of size 1 after those of time; raise unless it fits x."""
    known = mask.rank
    scope.require(
        mask.dtype == "float32" and 1 <= known <= x.rank and mask.shape == x.shape[:known],
        "the mask must be float32 with one number per step",
        got=f"({shape_text(mask.shape)}) {mask.dtype} for ({shape_text(x.shape)})",
        hint="Give a mask of shape (batch, time), or put Unmask() before the layer.",
    )
    return ops.reshape(mask, (*mask.shape, *(1,) * (x.rank - known)))


def require_int32(scope: Scope, x: Value) -> None:
    if x.dtype != "int32":
        raise DTypeError(
            "the input must be int32",
            where=scope.path,
            got=str(x.type),
            hint='Write Input(shape, dtype="int32").',
        )
