"""Metrics of predicted numbers and vectors."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses import CosineSimilarity
from dnnbridge.losses.base import per_example
from dnnbridge.losses.target import Target
from dnnbridge.metrics.answers import require_same_type
from dnnbridge.metrics.base import AbstractMetric, mean
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec


@spec
class RootMeanSquaredError(AbstractMetric):
    """√ of the mean of (y - p)² over all elements of all examples

    Example:
        >>> RootMeanSquaredError()([[1.0], [3.0]], [[1.0], [1.0]]) == 2.0**0.5
        True
    """

    synonyms = ("rmse",)
    goal = "min"

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        return per_example(ops.square(target - prediction))

    def result(self, total: Array, count: float) -> float:
        return math.sqrt(mean(total, count))


@spec
class CosineSimilarityMetric(AbstractMetric):
    """Σ p · y / (‖p‖ ‖y‖) over an axis, from -1 to 1, the mean over the others

    It is 1 for equal directions: the loss `CosineSimilarity` with the other sign, as in Keras.

    Args:
        axis: the axis of the vectors, except the batch.

    Example:
        >>> CosineSimilarityMetric()([[3.0, 4.0]], [[6.0, 8.0]])
        1.0
    """

    alias = "cosine_similarity"
    synonyms = ("cosine_similarity_metric",)
    goal = "max"

    axis: Int = -1

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        require_same_type(scope, prediction, target)
        return -CosineSimilarity(axis=self.axis).emit(scope, prediction, target)
