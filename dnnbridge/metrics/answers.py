"""Checks and conversions of predictions and labels for metrics of classes."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text

LEAST = -3.0e38
"""A prediction that is less than any other."""


def require_classes(scope: Scope, prediction: Value) -> int:
    """Return the number of classes in the last axis of a prediction, or raise."""
    scope.require(
        prediction.rank >= 2 and (prediction.shape[-1] or 0) >= 2,
        f"{scope.path} needs at least two classes in the last axis of the prediction",
        got=f"shape ({shape_text(prediction.shape)})",
        hint="Predict one number per class, or use BinaryAccuracy for one number per label.",
    )
    return scope.known(prediction.shape[-1], "the number of classes")


def require_same_type(scope: Scope, prediction: Value, target: Value) -> None:
    """Raise unless the labels have the shape and dtype of the prediction."""
    scope.require(
        prediction.type == target.type,
        "labels must have the shape and dtype of the prediction",
        got=f"prediction {prediction.type} and labels {target.type}",
        hint="Use a metric of classes, or a loss with one label per element.",
    )


def class_of(target: Value) -> Value:
    """Return labels as class numbers; they may be distributions."""
    return target if target.dtype == "int32" else ops.argmax(target)


def indicator(condition: Value) -> Value:
    """Return 1.0 where the condition holds, else 0.0."""
    return ops.cast(condition, "float32")


def pooled(cells: Value, kept: int) -> Value:
    """Return the sum over all axes except the batch and the last `kept`."""
    return ops.reduce_sum(cells, tuple(range(1, cells.rank - kept)))


def mean_statistic(made: Value | tuple[Value, Value]) -> Value:
    """Return one number per example, or two: the value and how much of the example counts."""
    if isinstance(made, Value):
        return made
    return ops.concat([ops.reshape(value, (*value.shape, 1)) for value in made], 1)


def top_classes(scope: Scope, prediction: Value, k: int) -> Value:
    """Return 1.0 for the k largest predictions of the last axis; of equal ones the first count."""
    classes = require_classes(scope, prediction)
    scope.require(
        k <= classes, "top_k must be at most the number of classes", got=f"{k} of {classes}"
    )
    left, chosen = prediction, ops.one_hot(ops.argmax(prediction), classes)
    for _ in range(k - 1):
        left = ops.where(chosen > 0.5, LEAST, left)
        chosen = chosen + ops.one_hot(ops.argmax(left), classes)
    return chosen
