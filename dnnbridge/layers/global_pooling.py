"""Mean and maximum over all spatial positions of an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.layout import enter, leave
from dnnbridge.layers.masking import as_steps
from dnnbridge.specs.fields import Bool, DataFormat
from dnnbridge.specs.spec import spec


@dataclass(frozen=True)
class AbstractGlobalPooling(AbstractLayer):
    """Base of pooling over all spatial axes. `GlobalAveragePooling2D` has the arguments.

    A subclass sets the number of axes, and `mean` for the mean or the maximum.
    """

    data_format: DataFormat = "channels_last"
    keepdims: Bool = False

    axes: ClassVar[int] = 0
    mean: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        x = enter(scope, x, self.axes, self.data_format)
        reduce = ops.reduce_mean if self.mean else ops.reduce_max
        return self.left(reduce(x, tuple(range(1, self.axes + 1)), self.keepdims))

    def left(self, y: Value) -> Value:
        """Convert a result with spatial axes to the layout of the layer."""
        return leave(y, self.data_format) if self.keepdims else y


@spec
class GlobalAveragePooling1D(AbstractGlobalPooling):
    """Mean over the steps: (batch, steps, channels) -> (batch, channels)

    An optional second input is a mask of shape (batch, steps), 1 for steps that count and 0 for
    others. Without it, the mask of x is used, if it has one (see `Masking`). The result is then
    Σ mask · x / Σ mask, and 0 for an example without steps (NaN in Keras). Arguments as in
    `GlobalAveragePooling2D`.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x, mask = Input((9, 3)), Input((9,))
        >>> Model([x, mask], GlobalAveragePooling1D()(x, mask)).output_shape
        (None, 3)
    """

    axes: ClassVar[int] = 1

    def emit(self, scope: Scope, x: Value, mask: Value | None = None) -> Value:
        mask = scope.mask(x) if mask is None else mask
        if mask is None:
            return super().emit(scope, x)
        x = enter(scope, x, 1, self.data_format)
        weight = as_steps(scope, mask, x)
        total = ops.reduce_sum(ops.where(weight > 0.5, x, 0.0), 1, self.keepdims)
        count = ops.reduce_sum(weight, 1, self.keepdims)
        y = total / ops.where(count > 0.0, count, 1.0)
        return self.left(y)


@spec
class GlobalAveragePooling2D(AbstractGlobalPooling):
    """Mean over both spatial axes: (batch, h, w, channels) -> (batch, channels)

    Lin et al., "Network in network", 2013.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether to keep the spatial axes, with size 1.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 64)), GlobalAveragePooling2D()]).output_shape
        (None, 64)
    """

    axes: ClassVar[int] = 2


@spec
class GlobalAveragePooling3D(AbstractGlobalPooling):
    """Mean over the three spatial axes; arguments as in `GlobalAveragePooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 8, 8, 5)), GlobalAveragePooling3D(keepdims=True)]).output_shape
        (None, 1, 1, 1, 5)
    """

    axes: ClassVar[int] = 3


@spec
class GlobalMaxPooling1D(AbstractGlobalPooling):
    """Maximum over the steps; arguments as in `GlobalMaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((9, 3)), GlobalMaxPooling1D()]).output_shape
        (None, 3)
    """

    axes: ClassVar[int] = 1
    mean: ClassVar[bool] = False


@spec
class GlobalMaxPooling2D(AbstractGlobalPooling):
    """Maximum over both spatial axes; equal maxima share the gradient equally, as in Keras

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether to keep the spatial axes, with size 1.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 64)), GlobalMaxPooling2D()]).output_shape
        (None, 64)
    """

    axes: ClassVar[int] = 2
    mean: ClassVar[bool] = False


@spec
class GlobalMaxPooling3D(AbstractGlobalPooling):
    """Maximum over the three spatial axes; arguments as in `GlobalMaxPooling2D`

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((4, 8, 8, 5)), GlobalMaxPooling3D()]).output_shape
        (None, 5)
    """

    axes: ClassVar[int] = 3
    mean: ClassVar[bool] = False
