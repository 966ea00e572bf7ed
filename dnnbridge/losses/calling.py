"""Compute the loss of given arrays in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dnnbridge.emit.calling import computed, labels_of, prediction_of, weights_of
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import BATCH, TensorType, Value
from dnnbridge.losses.reducing import reduced, require_batch
from dnnbridge.losses.target import check_range

if TYPE_CHECKING:
    from dnnbridge.losses.base import AbstractLoss


def loss_of(loss: AbstractLoss, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return the loss of a batch, with the reduction of the loss."""
    prediction, count = prediction_of(y_pred)
    output = TensorType((BATCH, *prediction.shape[1:]))
    target = loss.target(output)
    labels = labels_of(y_true, target.type, count)
    check_range(labels, target, "y_true")
    wanted = loss.weights(output)
    types = {"prediction": output, "labels": target.type, "weights": wanted}
    weights = weights_of(sample_weight, wanted.concrete(count))
    arrays = {"prediction": prediction, "labels": labels, "weights": weights}

    def write(scope: Scope, given: Mapping[str, Value]) -> Mapping[str, Value]:
        made = scope.call_all(loss, given["prediction"], given["labels"], name="loss")
        for value in made:
            require_batch(value, "loss", exactly=wanted)
        return {"loss": reduced(scope, made, given["weights"], loss.reduction)[0]}

    return float(computed(write, types, arrays)["loss"])
