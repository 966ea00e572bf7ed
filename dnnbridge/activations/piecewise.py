"""Piecewise linear activations, with a documented derivative where the pieces meet."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Self

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Float, NonNegativeFloat
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
    """max(x, 0); with arguments, a slope below a threshold, and a largest value

    y = min(x, max_value) where x > threshold, negative_slope · (x - threshold) elsewhere. The
    derivatives are those of Keras: 0 at the threshold, and 1 at max_value. There are two
    exceptions. At 0 it is the slope if only `negative_slope` is set. At 6 it is 0 if max_value is 6
    and the threshold is 0, as in ReLU6.

    The arguments are keyword-only, because the function and the layer of Keras have different
    orders.

    Args:
        negative_slope: derivative below the threshold.
        max_value: largest value, by default none.
        threshold: x above it is kept.

    Example:
        >>> from dnnbridge import Dense
        >>> Dense(3, activation="relu").activation
        ReLU()
        >>> ReLU(negative_slope=0.5, max_value=4.0, threshold=1.0)([-2.0, 0.5, 3.0, 7.0])
        array([-1.5 , -0.25,  3.  ,  4.  ])
    """

    alias = "relu"
    _: KW_ONLY
    negative_slope: NonNegativeFloat = 0.0
    max_value: NonNegativeFloat | None = None
    threshold: NonNegativeFloat = 0.0

    def emit(self, scope: Scope, x: Value) -> Value:
        if self.threshold == 0.0 and self.max_value is None and self.negative_slope > 0.0:
            return ops.where(x > 0.0, x, self.negative_slope * x)
        y = self._above(x)
        if self.negative_slope > 0.0:
            below = ops.relu(self.threshold - x) if self.threshold > 0.0 else ops.relu(-x)
            y = y - self.negative_slope * below
        return y

    def _above(self, x: Value) -> Value:
        """Return the value above the threshold, and 0 elsewhere."""
        if self.max_value == 6.0 and self.threshold == 0.0:
            return _relu6(x)
        y = ops.where(x > self.threshold, x, 0.0) if self.threshold > 0.0 else ops.relu(x)
        return y if self.max_value is None else ops.clip(y, 0.0, self.max_value)

    @classmethod
    def keras(
        cls,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
    ) -> Self:
        """Return `keras.layers.ReLU` with these arguments."""
        return cls(negative_slope=negative_slope, max_value=max_value, threshold=threshold)


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
class HardTanh(AbstractActivation):
    """x clipped to [-1, 1], with derivative 1 at both ends

    Example:
        >>> HardTanh()([-3.0, 0.5, 2.0])
        array([-1. ,  0.5,  1. ])
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.clip(x, -1.0, 1.0)


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


@spec
class Threshold(AbstractActivation):
    """x where x > threshold, default_value elsewhere; the derivative at the threshold is 0

    Args:
        threshold: x above it is kept.
        default_value: the value elsewhere.

    Example:
        >>> Threshold(1.0, 0.25)([0.5, 1.0, 2.0])
        array([0.25, 0.25, 2.  ])
    """

    threshold: Float
    default_value: Float

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.where(x > self.threshold, x, self.default_value)


def _relu6(x: Value) -> Value:
    return ops.minimum(6.0, ops.relu(x))  # at the tie the gradient goes to the 6


def _hard_sigmoid(x: Value) -> Value:
    return _relu6(x + 3.0) / 6.0
