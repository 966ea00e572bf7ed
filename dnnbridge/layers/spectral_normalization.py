"""A layer whose kernel is divided by its largest singular value."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import TruncatedNormal
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import PositiveInt
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.spec import spec

SMALLEST_LENGTH = 1e-7
"""Least length that a vector is divided by, as in Keras."""

NAMES = ("kernel", "embeddings")
"""Weights that are divided: the first one that the layer has."""


@spec
class SpectralNormalization(AbstractLayer):
    """A layer whose kernel is divided by its largest singular value before each training step

    The kernel is read as a matrix W with a column per element of its last axis. With the row
    vector u that the last step left, a step computes

        v = u Wᵀ / |u Wᵀ|;  u = v W / |v W|;  W ← W / (v W uᵀ)

    and then its loss, gradient and update from the new W, as in Keras. Evaluation and prediction
    take W as the update left it. A kernel of zeros and a frozen kernel stay as they are. The
    weights are named layer/…, and `vector_u` is a buffer (1, columns). In a step that calls the
    layer twice, W is divided once. (Miyato et al., 2018)

    Args:
        layer: a layer with a kernel, such as Dense or a convolution, or with embeddings.
        power_iterations: how often v and u are computed in a step.

    Raises:
        ShapeError: the layer has neither a kernel nor embeddings.

    Example:
        >>> from dnnbridge import Conv2D, Input, Sequential
        >>> Sequential([Input((8, 8, 3)), SpectralNormalization(Conv2D(4, 3))]).output_shape
        (None, 6, 6, 4)
    """

    layer: Annotated[AbstractLayer, PlainValidator(instance_of(AbstractLayer))]
    power_iterations: PositiveInt = 1

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        def divided(outer: Scope, kernel: Value) -> Value:
            columns = outer.known(kernel.shape[-1], "the kernel")
            u = outer.buffer("vector_u", (1, columns), TruncatedNormal(stddev=0.02))
            if not outer.training:
                return kernel
            matrix = ops.reshape(kernel, (kernel.type.size() // columns, columns))
            norm, new_u = self._norm(matrix, u)
            # A kernel of zeros, such as a layer that starts as nothing, has no such vectors.
            is_zero = ops.equal(ops.reduce_max(ops.abs(matrix), (0, 1)), 0.0)
            outer.update("vector_u", ops.where(is_zero, u, new_u))
            return kernel / ops.where(is_zero, 1.0, norm)

        for name in NAMES:
            scope.rewrite(f"layer/{name}", divided)
        y = scope.call(self.layer, *inputs, name="layer")
        scope.require(
            any(scope.declares(f"layer/{name}") for name in NAMES),
            "SpectralNormalization needs a layer with a kernel or with embeddings",
            got=type(self.layer).__name__,
        )
        return y

    def _norm(self, matrix: Value, u: Value) -> tuple[Value, Value]:
        """Return the largest singular value of a matrix, and the next u."""
        turned = ops.transpose(matrix, (1, 0))
        for _ in range(self.power_iterations):
            v = _unit(u @ turned)
            u = _unit(v @ matrix)
        return ops.reduce_sum((v @ matrix) * u, (0, 1)), u


def _unit(x: Value) -> Value:
    length = ops.sqrt(ops.reduce_sum(ops.square(x), (0, 1)))
    return x / ops.maximum(length, SMALLEST_LENGTH)
