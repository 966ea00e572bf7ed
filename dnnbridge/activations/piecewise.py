"""Piecewise linear activations, with a documented derivative where the pieces meet."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import Constant, InitializerField, InitializerLike
from dnnbridge.specs.fields import Bool, NonNegativeFloat, default
from dnnbridge.specs.spec import spec


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
class ReLU6(AbstractActivation):
    """min(max(x, 0), 6), with derivative 0 at 0 and at 6

    TensorFlow has the same derivatives; MindSpore's is 1 at 6. Krizhevsky, "Convolutional deep
    belief networks on CIFAR-10", 2010.

    Example:
        >>> from dnnbridge import Dense
        >>> Dense(3, activation="relu6").activation
        ReLU6()
    """

    alias = "relu6"

    def emit(self, scope: Scope, x: Value) -> Value:
        return _relu6(x)


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
class PReLU(AbstractActivation):
    """x where x > 0, slope · x elsewhere, with slopes that are trained

    The derivative at 0 is the slope. He et al., "Delving deep into rectifiers", 2015.

    Args:
        alpha_initializer: start of the slopes. Keras starts at 0, MindSpore at 0.25.
        shared: True: one slope for all features. False: one slope per element of an example, as
            in Keras.

    Example:
        >>> PReLU.mindspore()
        PReLU(alpha_initializer=Constant(value=0.25), shared=True)
    """

    alias = "prelu"
    alpha_initializer: InitializerField = default("zeros")
    shared: Bool = False

    def emit(self, scope: Scope, x: Value) -> Value:
        shape = (1,) if self.shared else x.shape[1:]
        slope = scope.parameter("slope", shape, self.alpha_initializer)
        return ops.where(x > 0.0, x, slope * x)

    @classmethod
    def keras(cls, alpha_initializer: InitializerLike = "zeros") -> Self:
        """Return `keras.layers.PReLU` with these arguments."""
        return cls(alpha_initializer)

    @classmethod
    def mindspore(cls, w: float = 0.25) -> Self:
        """Return `mindspore.nn.PReLU` with one parameter."""
        return cls(Constant(w), shared=True)


@spec
class HardSigmoid(AbstractActivation):
    """x / 6 + 1/2 clipped to [0, 1], with derivative 0 at both ends

    The definition of Keras 3 and MindSpore; Keras 2 had x / 5 + 1/2.

    Example:
        >>> HardSigmoid().to_dict()
        {'kind': 'activation.HardSigmoid'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return _hard_sigmoid(x)


@spec
class HardSwish(AbstractActivation):
    """x · hard_sigmoid(x), with derivative 0 at -3 and 1 at 3

    `keras.activations.hard_swish` (also called hard_silu) and MindSpore's `nn.HSwish`, whose own
    derivative is -1/2 at -3. NaN at -∞. Howard et al., "Searching for MobileNetV3", 2019.

    Example:
        >>> HardSwish().to_dict()
        {'kind': 'activation.HardSwish'}
    """

    synonyms = ("hard_silu",)

    def emit(self, scope: Scope, x: Value) -> Value:
        return x * _hard_sigmoid(x)


def _relu6(x: Value) -> Value:
    return ops.minimum(6.0, ops.relu(x))  # at the tie the gradient goes to the 6


def _hard_sigmoid(x: Value) -> Value:
    return _relu6(x + 3.0) / 6.0
