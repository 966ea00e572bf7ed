"""Smooth activations: sigmoids, and x times a sigmoid.

The products x · f(x) are NaN at -∞, where f is 0, as in both frameworks.
"""

from __future__ import annotations

import math
from typing import Self

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Bool, PositiveFloat
from dnnbridge.specs.spec import spec


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
class LogSigmoid(AbstractActivation):
    """log(1 / (1 + e⁻ˣ)) = -softplus(-x)

    MindSpore's own `nn.LogSigmoid` is -∞ for x of -88 and below.

    Example:
        >>> LogSigmoid().to_dict()
        {'kind': 'activation.LogSigmoid'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return -ops.softplus(-x)


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
class Softsign(AbstractActivation):
    """x / (1 + |x|)

    Example:
        >>> Softsign().to_dict()
        {'kind': 'activation.Softsign'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        u = ops.clip(x, -1e30, 1e30)  # beyond, it is ±1 to the last bit; 1 / |x| may underflow
        return u / (1.0 + ops.abs(u))


@spec
class SquarePlus(AbstractActivation):
    """(x + √(x² + b)) / 2

    It is computed as max(x, 0) + (b / 2) / (√(x² + b) + |x|), which does not cancel below 0: Keras'
    own is 0 for b = 4 and x of -1e4. Barron, "Squareplus: a softplus-like algebraic rectifier",
    2021.

    Args:
        b: smoothness; the value at 0 is √b / 2.

    Example:
        >>> SquarePlus()([-1.5, 0.0, 1.5])
        array([0.5, 1. , 2. ])
    """

    alias = "squareplus"
    b: PositiveFloat = 4.0

    def emit(self, scope: Scope, x: Value) -> Value:
        u = ops.clip(x, -1e18, 1e18)  # beyond, the second term is below b · 1e-18
        root = ops.sqrt(ops.square(u) + self.b)
        # In the tie at 0 the gradient of the maximum goes to -x, which makes the derivative 1/2.
        return ops.relu(x) + 0.5 * self.b / (root + ops.maximum(-x, x))


@spec
class SiLU(AbstractActivation):
    """x · sigmoid(x), also called swish

    Ramachandran et al., "Searching for activation functions", 2017.

    Example:
        >>> SiLU().to_dict()
        {'kind': 'activation.SiLU'}
    """

    alias = "silu"
    synonyms = ("swish",)

    def emit(self, scope: Scope, x: Value) -> Value:
        return x * ops.sigmoid(x)


@spec
class GELU(AbstractActivation):
    """x · Φ(x), where Φ is the distribution function of the standard normal

    Hendrycks & Gimpel, "Gaussian error linear units", 2016.

    Args:
        approximate: whether Φ(x) is (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2. MindSpore's
            default is True, Keras' is False; they differ by up to 5e-4.

    Example:
        >>> GELU.mindspore().approximate, GELU.keras().approximate
        (True, False)
    """

    alias = "gelu"
    approximate: Bool = False

    def emit(self, scope: Scope, x: Value) -> Value:
        return x * (_normal_cdf_by_tanh(x) if self.approximate else _normal_cdf(x))

    @classmethod
    def keras(cls, approximate: bool = False) -> Self:
        """Return `keras.activations.gelu` with these arguments."""
        return cls(approximate)

    @classmethod
    def mindspore(cls, approximate: bool = True) -> Self:
        """Return `mindspore.nn.GELU` with these arguments."""
        return cls(approximate)


@spec
class Mish(AbstractActivation):
    """x · tanh(softplus(x))

    MindSpore's own `nn.Mish` is NaN for x of 44.5 and above. Misra, "Mish: a self regularized
    non-monotonic activation function", 2019.

    Example:
        >>> Mish().to_dict()
        {'kind': 'activation.Mish'}
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return x * ops.tanh(ops.softplus(x))


def _normal_cdf(x: Value) -> Value:
    return 0.5 * ops.erfc(-math.sqrt(0.5) * x)  # 1 + erf would cancel below 0


def _normal_cdf_by_tanh(x: Value) -> Value:
    """(1 + tanh(z)) / 2 as sigmoid(2z), which does not cancel below 0."""
    u = ops.clip(x, -25.0, 25.0)  # beyond, the sigmoid is 0 or 1 to the last bit of float64
    return ops.sigmoid(2.0 * math.sqrt(2.0 / math.pi) * (u + 0.044715 * u * u * u))
