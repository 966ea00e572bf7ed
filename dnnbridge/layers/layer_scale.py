"""A trained factor for each feature."""

from __future__ import annotations

from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import Constant
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Float, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class LayerScale(AbstractLayer):
    """x · gamma, with a trained factor per feature, as in the ConvNeXt of Keras

    It scales a branch before it is added to the residual. (Touvron et al., 2021)

    Args:
        init_values: the number that all of gamma starts with, such as 1e-6.
        projection_dim: number of features, the size of gamma.

    Raises:
        ShapeError: the last axis of the input has another size.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 96)), LayerScale(1e-6, 96)]).output_shape
        (None, 8, 8, 96)
    """

    init_values: Float
    projection_dim: PositiveInt

    def emit(self, scope: Scope, x: Value) -> Value:
        scope.require(
            x.shape[-1] == self.projection_dim,
            "projection_dim must be the size of the last axis",
            got=f"{self.projection_dim} for shape ({shape_text(x.shape)})",
        )
        return x * scope.parameter("gamma", (self.projection_dim,), Constant(self.init_values))
