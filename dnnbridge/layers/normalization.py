"""Normalisations of each example on its own, the same in training and evaluation."""

from __future__ import annotations

from typing import ClassVar, Self

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, InitializerLike, as_initializer
from dnnbridge.layers.affine import along, rescaled
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.weights import WithGammaAndBeta
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Bool, Int, PositiveFloat, PositiveInt, default
from dnnbridge.specs.spec import spec

Axes = Int | tuple[Int, ...]

SMALLEST_LENGTH = 1e-12
"""Least length that UnitNormalization divides by."""


@spec
class LayerNormalization(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over the axes of each example

    The variance is biased: the mean of the squared distances to the mean. gamma and beta have the
    shape of the axes. (Ba et al., 2016)

    Args:
        axis: one or several axes, except the batch.
        epsilon: added to the variance, inside the root; 1e-3 in Keras, 1e-7 in MindSpore.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initializer of beta.
        gamma_initializer: initializer of gamma.

    Regularizers and constraints of beta and gamma are as in `BatchNormalization`.

    Example:
        >>> LayerNormalization(axis=(-2, -1)).epsilon
        0.001
    """

    axis: Axes = -1
    epsilon: PositiveFloat = 1e-3
    center: Bool = True
    scale: Bool = True
    beta_initializer: InitializerField = default("zeros")
    gamma_initializer: InitializerField = default("ones")

    passes_mask: ClassVar[bool] = True
    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        y = _standardised(x, axes, self.epsilon)
        return rescaled(scope, y, axes, self)

    @classmethod
    def mindspore(
        cls,
        axis: int | tuple[int, ...] = -1,
        gamma_init: InitializerLike = "ones",
        beta_init: InitializerLike = "zeros",
        epsilon: float = 1e-7,
    ) -> Self:
        """Return `mindspore.nn.LayerNorm` over `axis`; MindSpore takes only the first of them."""
        return cls(axis, epsilon, True, True, beta_init, gamma_init)


@spec
class GroupNormalization(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over each group of channels

    Mean and biased variance are computed per example and group, over the channels of the group and
    all other axes. A group consists of adjacent channels. gamma and beta have one element per
    channel. (Wu & He, 2018)

    Args:
        groups: number of groups; it must divide the number of channels.
        axis: the channel axis.
        epsilon: added to the variance, inside the root; 1e-3 in Keras, 1e-5 in MindSpore.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initializer of beta.
        gamma_initializer: initializer of gamma.

    Regularizers and constraints of beta and gamma are as in `BatchNormalization`.

    Example:
        >>> GroupNormalization(4).groups
        4
    """

    groups: PositiveInt = 32
    axis: Int = -1
    epsilon: PositiveFloat = 1e-3
    center: Bool = True
    scale: Bool = True
    beta_initializer: InitializerField = default("zeros")
    gamma_initializer: InitializerField = default("ones")

    passes_mask: ClassVar[bool] = True
    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        (axis,) = axes = _feature_axes(scope, x, self.axis)
        channels = scope.known(x.shape[axis], "the channels")
        scope.require(
            channels % self.groups == 0,
            "groups must divide the channels",
            got=f"{self.groups} groups of {channels} channels",
        )
        split = (*x.shape[:axis], self.groups, channels // self.groups, *x.shape[axis + 1 :])
        within = tuple(i for i in range(1, len(split)) if i != axis)
        y = _standardised(ops.reshape(x, split), within, self.epsilon)
        y = ops.reshape(y, x.shape)
        return rescaled(scope, y, axes, self)

    @classmethod
    def mindspore(
        cls,
        num_groups: int,
        eps: float = 1e-5,
        affine: bool = True,
        gamma_init: InitializerLike = "ones",
        beta_init: InitializerLike = "zeros",
    ) -> Self:
        """Return `mindspore.nn.GroupNorm` with these arguments; here channels are last."""
        return cls(num_groups, -1, eps, affine, affine, beta_init, gamma_init)


@spec
class InstanceNorm(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over each channel of each example

    Mean and biased variance are computed over all axes except batch and channels. gamma and beta
    have one element per channel. (Ulyanov et al., 2016)

    Args:
        axis: the channel axis.
        epsilon: added to the variance, inside the root; 1e-5 in MindSpore. In Keras the layer is
            a GroupNormalization with one channel per group, with 1e-3.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initializer of beta.
        gamma_initializer: initializer of gamma.

    Regularizers and constraints of beta and gamma are as in `BatchNormalization`.

    Example:
        >>> InstanceNorm.mindspore().epsilon
        1e-05
    """

    axis: Int = -1
    epsilon: PositiveFloat = 1e-3
    center: Bool = True
    scale: Bool = True
    beta_initializer: InitializerField = default("zeros")
    gamma_initializer: InitializerField = default("ones")

    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        scope.require(
            x.rank >= 3,
            "InstanceNorm needs an axis besides batch and channels",
            got=f"shape ({shape_text(x.shape)})",
        )
        y = _standardised(x, tuple(i for i in range(1, x.rank) if i not in axes), self.epsilon)
        return rescaled(scope, y, axes, self)

    @classmethod
    def mindspore(
        cls,
        eps: float = 1e-5,
        affine: bool = True,
        gamma_init: InitializerLike = "ones",
        beta_init: InitializerLike = "zeros",
    ) -> Self:
        """Return `mindspore.nn.InstanceNorm2d` in training mode; here channels are last."""
        return cls(-1, eps, affine, affine, beta_init, gamma_init)


@spec
class RMSNormalization(AbstractLayer):
    """scale · x / √(mean(x²) + epsilon), over the axes of each example

    `scale` has the shape of the axes. (Zhang & Sennrich, 2019)

    Args:
        axis: one or several axes, except the batch.
        epsilon: added to the mean square, inside the root.

    Example:
        >>> RMSNormalization().epsilon
        1e-06
    """

    axis: Axes = -1
    epsilon: PositiveFloat = 1e-6

    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        mean = ops.reduce_mean(ops.square(x), axes, keepdims=True)
        scale = scope.parameter("scale", [x.shape[i] for i in axes], as_initializer("ones"))
        return x * (1.0 / ops.sqrt(mean + self.epsilon)) * along(x, axes, scale)


@spec
class UnitNormalization(AbstractLayer):
    """x / √(Σ x²), over the axes of each example; the length of each example is then 1

    Lengths are at least 1e-12, as in Keras: zeros stay zeros, and the derivative there is 1e12.

    Args:
        axis: one or several axes, except the batch.

    Raises:
        ShapeError: an axis is the batch or is not there.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5,)), UnitNormalization()]).output_shape
        (None, 5)
    """

    axis: Axes = -1

    passes_mask: ClassVar[bool] = True
    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        squared = ops.reduce_sum(ops.square(x), axes, keepdims=True)
        return x * (1.0 / ops.sqrt(ops.maximum(squared, SMALLEST_LENGTH**2)))


def _standardised(x: Value, axes: tuple[int, ...], epsilon: float) -> Value:
    """Return (x - mean) / √(variance + epsilon); E[x²] - E[x]² would lose digits."""
    distance = x - ops.reduce_mean(x, axes, keepdims=True)
    variance = ops.reduce_mean(ops.square(distance), axes, keepdims=True)
    return distance * (1.0 / ops.sqrt(variance + epsilon))


def _feature_axes(scope: Scope, x: Value, axis: int | tuple[int, ...]) -> tuple[int, ...]:
    axes = normal_axes(x, axis)
    scope.require(
        len(axes) > 0 and 0 not in axes,
        "the axes must not include the batch, as each example is normalised on its own",
        got=f"axis {axis} of shape ({shape_text(x.shape)})",
        hint="Give feature axes, or use BatchNormalization to normalise over the batch.",
    )
    return axes
