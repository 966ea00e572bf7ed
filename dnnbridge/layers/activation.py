"""An activation as a layer."""

from __future__ import annotations

from typing import ClassVar

from dnnbridge.activations import ActivationField
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.spec import spec


@spec
class Activation(AbstractLayer):
    """activation(x), with the same shape

    A Sequential also accepts an activation: `LeakyReLU(0.1)` becomes `Activation(LeakyReLU(0.1))`.

    Example:
        >>> Activation("tanh").activation
        Tanh()
    """

    activation: ActivationField

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        return scope.call(self.activation, x)
