"""The exponential, and activations that are x above 0 and follow an exponential below."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.specs.fields import NonNegativeFloat, PositiveFloat
from dnnbridge.specs.spec import spec

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717
"""SELU's constants, which keep mean 0 and variance 1: Klambauer et al., appendix, theorem 1."""


@spec
class Exponential(AbstractActivation):
    """eˣ

    Example:
        >>> Exponential()([0.0, 1.0]).round(4)
        array([1.    , 2.7183])
    """

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.exp(x)


@spec
class ELU(AbstractActivation):
    """x where x > 0, alpha · (eˣ - 1) elsewhere; the derivative at 0 is alpha

    MindSpore's own `nn.ELU` accepts only alpha 1. Clevert et al., "Fast and accurate deep
    network learning by exponential linear units", 2015.

    Example:
        >>> ELU(0.5).alpha
        0.5
    """

    alias = "elu"
    alpha: NonNegativeFloat = 1.0

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.where(x > 0.0, x, self.alpha * ops.expm1(_negative(x)))


@spec
class CELU(AbstractActivation):
    """x where x > 0, alpha · (exp(x / alpha) - 1) elsewhere; the derivative at 0 is 1

    Keras' own derivative at 0 is 2. Barron, "Continuously differentiable exponential linear
    units", 2017.

    Example:
        >>> CELU(2.0).alpha
        2.0
    """

    alias = "celu"
    alpha: PositiveFloat = 1.0

    def emit(self, scope: Scope, x: Value) -> Value:
        return ops.where(x > 0.0, x, self.alpha * ops.expm1(_negative(x) / self.alpha))


@spec
class SELU(AbstractActivation):
    """scale · x where x > 0, scale · alpha · (eˣ - 1) elsewhere

    scale = 1.0507… and alpha = 1.6733… are constants; the derivative at 0 is scale · alpha.
    MindSpore's own derivative is wrong below 0. Klambauer et al., "Self-normalizing neural
    networks", 2017.

    Example:
        >>> SELU().to_dict()
        {'kind': 'activation.SELU'}
    """

    alias = "selu"

    def emit(self, scope: Scope, x: Value) -> Value:
        below = SELU_SCALE * SELU_ALPHA * ops.expm1(_negative(x))
        return ops.where(x > 0.0, SELU_SCALE * x, below)


def _negative(x: Value) -> Value:
    """min(x, 0), so that neither the unused branch nor its derivative overflows."""
    return ops.minimum(x, 0.0)
