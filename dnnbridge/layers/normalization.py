"""Normalisations of each example by itself: the same in training and evaluation."""

from __future__ import annotations

from typing import Self

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


@spec
class LayerNormalization(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over the axes of each example

    The variance is the biased one, the mean of the squared distances to the mean. gamma and beta
    have the sizes of the axes. (Ba et al., 2016)

    Args:
        axis: one axis or several, not the batch.
        epsilon: added to the variance, under the root: 1e-3 in Keras, 1e-7 in MindSpore.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: start of beta.
        gamma_initializer: start of gamma.

    Regularizers and constraints of beta and gamma as of `BatchNormalization`.

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
        """Return `mindspore.nn.LayerNorm` over `axis`, which it names by its first one."""
        return cls(axis, epsilon, True, True, beta_init, gamma_init)


@spec
class GroupNormalization(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over each group of channels

    Mean and biased variance are those of an example, over all axes and the neighbouring channels
    of a group; gamma and beta have an element per channel. (Wu & He, 2018)

    Args:
        groups: number of groups; it divides the channels.
        axis: the axis of channels.
        epsilon: added to the variance, under the root: 1e-3 in Keras, 1e-5 in MindSpore.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: start of beta.
        gamma_initializer: start of gamma.

    Regularizers and constraints of beta and gamma as of `BatchNormalization`.

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
        """Return `mindspore.nn.GroupNorm` with these arguments; channels are last here."""
        return cls(num_groups, -1, eps, affine, affine, beta_init, gamma_init)


@spec
class InstanceNorm(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, over each channel of each example

    Mean and biased variance are those over the axes between batch and channels; gamma and beta
    have an element per channel. (Ulyanov et al., 2016)

    Args:
        axis: the axis of channels.
        epsilon: added to the variance, under the root: 1e-5 in MindSpore; Keras writes the layer
            as a GroupNormalization of groups of one channel, with 1e-3.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: start of beta.
        gamma_initializer: start of gamma.

    Regularizers and constraints of beta and gamma as of `BatchNormalization`.

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

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        scope.require(
            x.rank >= 3,
            "InstanceNorm needs an axis between batch and channels",
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
        """Return `mindspore.nn.InstanceNorm2d` as it trains; channels are last here."""
        return cls(-1, eps, affine, affine, beta_init, gamma_init)


@spec
class RMSNormalization(AbstractLayer):
    """scale · x / √(mean(x²) + epsilon), over the axes of each example

    `scale` has the sizes of the axes. (Zhang & Sennrich, 2019)

    Args:
        axis: one axis or several, not the batch.
        epsilon: added to the mean square, under the root.

    Example:
        >>> RMSNormalization().epsilon
        1e-06
    """

    axis: Axes = -1
    epsilon: PositiveFloat = 1e-6

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = _feature_axes(scope, x, self.axis)
        mean = ops.reduce_mean(ops.square(x), axes, keepdims=True)
        scale = scope.parameter("scale", [x.shape[i] for i in axes], as_initializer("ones"))
        return x * (1.0 / ops.sqrt(mean + self.epsilon)) * along(x, axes, scale)


def _standardised(x: Value, axes: tuple[int, ...], epsilon: float) -> Value:
    """Return (x - mean) / √(variance + epsilon), in two passes: no difference of large squares."""
    distance = x - ops.reduce_mean(x, axes, keepdims=True)
    variance = ops.reduce_mean(ops.square(distance), axes, keepdims=True)
    return distance * (1.0 / ops.sqrt(variance + epsilon))


def _feature_axes(scope: Scope, x: Value, axis: int | tuple[int, ...]) -> tuple[int, ...]:
    axes = normal_axes(x, axis)
    scope.require(
        len(axes) > 0 and 0 not in axes,
        "each example is normalised by itself: the axes are not the batch",
        got=f"axis {axis} of shape ({shape_text(x.shape)})",
        hint="Name axes of features; BatchNormalization takes the batch together.",
    )
    return axes
