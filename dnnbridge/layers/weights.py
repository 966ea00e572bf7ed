"""Initializers, regularizers and constraints of the weights of a layer.

For example, a kernel has the fields kernel_initializer, kernel_regularizer and kernel_constraint,
as in Keras. The last two are keyword-only and are declared here for all layers. `weights` reads all
three. Regularizers and constraints that `Experiment` gives by patterns replace them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Dim, Value
from dnnbridge.initializers import AbstractInitializer, as_initializer
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.weights.constraints import ConstraintLike, as_constraint
from dnnbridge.weights.regularizers import (
    ActivityRegularizerLike,
    RegularizerLike,
    as_activity_regularizer,
    as_regularizer,
)


@dataclass(frozen=True, kw_only=True)
class WithActivity(AbstractLayer):
    """A layer with an optional penalty on its output, the mean over the examples of the batch."""

    activity_regularizer: ActivityRegularizerLike = None


@dataclass(frozen=True, kw_only=True)
class WithKernel(AbstractLayer):
    """A layer with a kernel."""

    kernel_regularizer: RegularizerLike = None
    kernel_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithBias(AbstractLayer):
    """A layer with a bias."""

    bias_regularizer: RegularizerLike = None
    bias_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithRecurrentKernel(AbstractLayer):
    """A layer with a recurrent kernel."""

    recurrent_regularizer: RegularizerLike = None
    recurrent_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithDepthwiseKernel(AbstractLayer):
    """A layer with a depthwise kernel."""

    depthwise_regularizer: RegularizerLike = None
    depthwise_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithPointwiseKernel(AbstractLayer):
    """A layer with a pointwise kernel."""

    pointwise_regularizer: RegularizerLike = None
    pointwise_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithEmbeddings(AbstractLayer):
    """A layer with a table of embeddings."""

    embeddings_regularizer: RegularizerLike = None
    embeddings_constraint: ConstraintLike = None


@dataclass(frozen=True, kw_only=True)
class WithGammaAndBeta(AbstractLayer):
    """A normalisation with scale gamma and shift beta."""

    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: ConstraintLike = None
    gamma_constraint: ConstraintLike = None


def weights(
    scope: Scope,
    layer: object,
    name: str,
    shape: Sequence[Dim],
    field: str | None = None,
    start: AbstractInitializer | None = None,
) -> Value:
    """Declare trainable weights with the initializer, regularizer and constraint of a layer.

    Args:
        scope: the scope of the layer.
        layer: the layer with the fields.
        name: name of the weights.
        shape: their shape.
        field: prefix of the fields; by default the name.
        start: the initializer; by default the field's.
    """
    begin = field or name
    return scope.parameter(
        name,
        shape,
        start or as_initializer(getattr(layer, f"{begin}_initializer")),
        as_regularizer(getattr(layer, f"{begin}_regularizer")),
        as_constraint(getattr(layer, f"{begin}_constraint")),
    )


def penalised(scope: Scope, y: Value, regularizer: ActivityRegularizerLike) -> Value:
    """Add the penalty on a layer's output y to the loss, and return y."""
    regularizer = as_activity_regularizer(regularizer)
    if regularizer is not None:
        scope.add_loss(regularizer.per_example(y))
    return y
