"""Compute the loss of given arrays in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dnnbridge.base.arrays import Array
from dnnbridge.emit.calling import computed, labels_of, prediction_of, weights_of
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import BATCH, TensorType, Value
from dnnbridge.losses.reducing import reduced, require_batch
from dnnbridge.losses.target import check_range

if TYPE_CHECKING:
    from dnnbridge.losses.base import AbstractLoss


def loss_of(loss: AbstractLoss, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return the loss of a batch, with the reduction of the loss."""

    def write(
        made: tuple[Value, ...], scope: Scope, given: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        return {"loss": reduced(scope, made, given["weights"], loss.reduction)[0]}

    return float(_of_arrays(loss, y_true, y_pred, sample_weight, write))


def losses_of(loss: AbstractLoss, y_true: Any, y_pred: Any) -> Array:
    """Return the loss of each example: shape (examples,).

    A loss with a number for each step gives the mean over the steps of an example.

    Example:
        >>> from dnnbridge import MeanSquaredError
        >>> losses_of(MeanSquaredError(), [[0.0], [1.0]], [[0.5], [1.0]]).tolist()
        [0.25, 0.0]
    """
    found = _of_arrays(loss, y_true, y_pred, None, lambda made, *_: {"loss": made[0]})
    means: Array = found.reshape(len(found), -1).mean(1)
    return means


Write = Callable[[tuple[Value, ...], Scope, Mapping[str, Value]], Mapping[str, Value]]
"""Makes "loss" of what a loss has emitted: losses of examples and, for some, what counts."""


def _of_arrays(
    loss: AbstractLoss, y_true: Any, y_pred: Any, sample_weight: Any, write: Write
) -> Array:
    """Emit a loss on arrays, and return what `write` makes of it."""
    prediction, count = prediction_of(y_pred)
    output = TensorType((BATCH, *prediction.shape[1:]))
    target = loss.target(output)
    labels = labels_of(y_true, target.type, count)
    check_range(labels, target, "y_true")
    wanted = loss.weights(output)
    types = {"prediction": output, "labels": target.type, "weights": wanted}
    weights = weights_of(sample_weight, wanted.concrete(count))
    arrays = {"prediction": prediction, "labels": labels, "weights": weights}

    def emit(scope: Scope, given: Mapping[str, Value]) -> Mapping[str, Value]:
        made = scope.call_all(loss, given["prediction"], given["labels"], name="loss")
        for value in made:
            require_batch(value, "loss", exactly=wanted)
        return write(made, scope, given)

    return computed(emit, types, arrays)["loss"]
