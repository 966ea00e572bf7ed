"""Activation functions. Each is usable by name, as a spec, or as a layer in a Sequential."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Self

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.fields import Int, NonNegativeFloat
from dnnbridge.graph import Value
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec, named, spec


class AbstractActivation(Spec):
    """Base of activations. A subclass defines `emit`; `alias` is its name in lower case."""

    @abstractmethod
    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the equation for an input of any shape; the result has the same shape."""


@spec
class Linear(AbstractActivation):
    """x

    Example:
        >>> Linear().to_dict()
        {'kind': 'activation.Linear'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return x


@spec
class ReLU(AbstractActivation):
    """max(x, 0), with derivative 0 at 0

    Example:
        >>> from dnnbridge import Dense
        >>> Dense(3, activation="relu").activation
        ReLU()
    """

    alias = "relu"

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.relu(x)


@spec
class LeakyReLU(AbstractActivation):
    """x where x > 0, negative_slope · x elsewhere; the derivative at 0 is the slope

    The default slope 0.2 is that of `keras.activations.leaky_relu` and MindSpore's `nn.LeakyReLU`
    (whose own derivative at 0 is the mean of both slopes). Keras' layer has 0.3. Maas et al.,
    "Rectifier nonlinearities improve neural network acoustic models", 2013.

    Example:
        >>> LeakyReLU.keras().negative_slope
        0.3
    """

    alias = "leaky_relu"
    negative_slope: NonNegativeFloat = 0.2

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.where(x > 0.0, x, self.negative_slope * x)

    @classmethod
    def keras(cls, negative_slope: float = 0.3) -> Self:
        """Return `keras.layers.LeakyReLU` with these arguments."""
        return cls(negative_slope)

    @classmethod
    def mindspore(cls, alpha: float = 0.2) -> Self:
        """Return `mindspore.nn.LeakyReLU` with these arguments."""
        return cls(alpha)


@spec
class Sigmoid(AbstractActivation):
    """1 / (1 + e⁻ˣ)

    Example:
        >>> Sigmoid() == Sigmoid.from_json('{"kind": "activation.Sigmoid"}')
        True
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.sigmoid(x)


@spec
class Tanh(AbstractActivation):
    """Hyperbolic tangent

    Example:
        >>> Tanh().to_dict()
        {'kind': 'activation.Tanh'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.tanh(x)


@spec
class Softplus(AbstractActivation):
    """log(1 + eˣ)

    Example:
        >>> Softplus().to_dict()
        {'kind': 'activation.Softplus'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.softplus(x)


@spec
class Softmax(AbstractActivation):
    """exp(x) / Σ exp(x) along an axis, by default the last

    Example:
        >>> Softmax().axis
        -1
    """

    axis: Int = -1

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.softmax(x, self.axis)


as_activation = named(AbstractActivation)

ActivationLike = Annotated[str | AbstractActivation, PlainValidator(as_activation)]
"""Field of an activation or the name of one."""
