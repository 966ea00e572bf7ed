"""Fully connected layer."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from dnnbridge.activations import ActivationField, ActivationLike
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, InitializerLike, RandomUniform
from dnnbridge.layers.affine import activated
from dnnbridge.layers.weights import WithActivity, WithBias, WithKernel, weights
from dnnbridge.specs.fields import Bool, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class Dense(WithKernel, WithBias, WithActivity):
    """activation(x @ kernel + bias)

    The input has shape (batch, …, in), the result (batch, …, units). The kernel has shape
    (in, units), as in Keras. MindSpore's `nn.Dense` stores its transpose.

    Args:
        units: size of the last axis of the result.
        activation: an activation or its name.
        use_bias: whether to add a bias.
        kernel_initializer: initializer of the kernel.
        bias_initializer: initializer of the bias.
        kernel_regularizer: penalty on the kernel; likewise bias_regularizer.
        activity_regularizer: penalty on the result, the mean over the examples.
        kernel_constraint: constraint on the kernel after each update; likewise bias_constraint.

    Example:
        >>> Dense(300, activation="relu", kernel_initializer="he_normal").units
        300
    """

    units: PositiveInt
    activation: ActivationField = default("linear")
    use_bias: Bool = True
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.rank >= 2,
            "Dense needs an input of rank 2 or more",
            got=f"shape ({shape_text(x.shape)})",
            hint="Give every example at least one feature axis.",
        )
        kernel = weights(scope, self, "kernel", (x.shape[-1], self.units))
        return activated(scope, x @ kernel, self)

    @classmethod
    def mindspore(
        cls,
        in_channels: int,
        out_channels: int,
        has_bias: bool = True,
        activation: ActivationLike = "linear",
        weight_init: InitializerLike | None = None,
        bias_init: InitializerLike | None = None,
    ) -> Self:
        """Return `mindspore.nn.Dense`; kernel and bias are initialized with U(±1/√in_channels)."""
        limit = 1.0 / math.sqrt(in_channels)
        start = RandomUniform(-limit, limit)
        return cls(out_channels, activation, has_bias, weight_init or start, bias_init or start)
