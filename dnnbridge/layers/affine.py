"""What follows the core of a layer: scale and shift, or bias and activation."""

from __future__ import annotations

from typing import Protocol

from dnnbridge import ops
from dnnbridge.activations import ActivationLike, as_activation
from dnnbridge.fields import DataFormat
from dnnbridge.graph import Value
from dnnbridge.initializers import InitializerLike, as_initializer
from dnnbridge.layers.layout import leave
from dnnbridge.scope import Scope


class Normalisation(Protocol):
    """A layer whose result is scaled and shifted."""

    @property
    def scale(self) -> bool: ...
    @property
    def center(self) -> bool: ...
    @property
    def gamma_initializer(self) -> InitializerLike: ...
    @property
    def beta_initializer(self) -> InitializerLike: ...


class Linear(Protocol):
    """A layer whose result gets a bias and an activation."""

    @property
    def use_bias(self) -> bool: ...
    @property
    def bias_initializer(self) -> InitializerLike: ...
    @property
    def activation(self) -> ActivationLike: ...


def rescaled(scope: Scope, x: Value, axes: tuple[int, ...], layer: Normalisation) -> Value:
    """Return gamma · x + beta, as far as the layer has them, an element per element of the axes."""
    if layer.scale:
        x = along(x, axes, _parameter(scope, "gamma", x, axes, layer.gamma_initializer)) * x
    if layer.center:
        x = x + along(x, axes, _parameter(scope, "beta", x, axes, layer.beta_initializer))
    return x


def activated(
    scope: Scope, x: Value, layer: Linear, data_format: DataFormat = "channels_last"
) -> Value:
    """Return activation(x + bias), with a bias per channel, in the layout of the layer."""
    if layer.use_bias:
        start = as_initializer(layer.bias_initializer)
        x = x + scope.parameter("bias", x.shape[-1:], start)
    return scope.call(as_activation(layer.activation), leave(x, data_format))


def along(x: Value, axes: tuple[int, ...], array: Value) -> Value:
    """Shape an array that has the sizes of `axes` of x so that it broadcasts along them."""
    if axes == tuple(range(x.rank - len(axes), x.rank)):
        return array
    return ops.reshape(array, tuple(d if i in axes else 1 for i, d in enumerate(x.shape)))


def _parameter(
    scope: Scope, name: str, x: Value, axes: tuple[int, ...], initializer: InitializerLike
) -> Value:
    return scope.parameter(name, [x.shape[i] for i in axes], as_initializer(initializer))
