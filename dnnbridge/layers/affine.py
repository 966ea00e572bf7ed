"""The last part of many layers: scale and shift, or bias and activation."""

from __future__ import annotations

from typing import Protocol

from dnnbridge import ops
from dnnbridge.activations import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.layout import leave
from dnnbridge.layers.weights import penalised, weights
from dnnbridge.specs.fields import DataFormat
from dnnbridge.weights.regularizers import ActivityRegularizerLike


class Normalisation(Protocol):
    """A layer with the fields of gamma and beta, which scale and shift its result."""

    @property
    def scale(self) -> bool: ...
    @property
    def center(self) -> bool: ...


class Affine(Protocol):
    """A layer with the fields of a bias and an activation, which are applied to its result."""

    @property
    def use_bias(self) -> bool: ...
    @property
    def activation(self) -> AbstractActivation: ...
    @property
    def activity_regularizer(self) -> ActivityRegularizerLike: ...


def rescaled(
    scope: Scope,
    x: Value,
    axes: tuple[int, ...],
    layer: Normalisation,
    factor: Value | None = None,
) -> Value:
    """Return gamma · factor · x + beta, without the terms that the layer does not have.

    gamma, factor and beta have the shape of the axes.
    """
    shape = [x.shape[i] for i in axes]
    if layer.scale:
        gamma = weights(scope, layer, "gamma", shape)
        factor = gamma if factor is None else gamma * factor
    if factor is not None:
        x = along(x, axes, factor) * x
    if layer.center:
        x = x + along(x, axes, weights(scope, layer, "beta", shape))
    return x


def activated(
    scope: Scope, x: Value, layer: Affine, data_format: DataFormat = "channels_last"
) -> Value:
    """Return activation(x + bias), with one bias per channel, in the layout of the layer."""
    if layer.use_bias:
        x = x + weights(scope, layer, "bias", x.shape[-1:])
    y = scope.call(layer.activation, leave(x, data_format))
    return penalised(scope, y, layer.activity_regularizer)


def along(x: Value, axes: tuple[int, ...], array: Value) -> Value:
    """Reshape an array with the sizes of `axes` of x, so that it broadcasts with x."""
    if axes == tuple(range(x.rank - len(axes), x.rank)):
        return array
    return ops.reshape(array, tuple(d if i in axes else 1 for i, d in enumerate(x.shape)))
