"""The loss of a batch from those of its examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import ShapeError
from dnnbridge.graph import BATCH, Value
from dnnbridge.specs.fields import also

Reduction = Annotated[
    Literal["mean", "sum", "weighted_mean"],
    also({"sum_over_batch_size": "mean", "mean_with_sample_weight": "weighted_mean"}),
]
"""What a batch divides the weighted sum of its losses by: examples, nothing, or the weights.

Keras' names are taken too: "sum_over_batch_size" for the first, "mean_with_sample_weight" for the
last.
"""


def reduced(
    scope: Scope, made: Sequence[Value], weights: Value, reduction: Reduction
) -> tuple[Value, Value | None]:
    """Return the loss of the batch, and its divisor where that is computed in the step.

    Args:
        scope: to write in.
        made: the loss of each example and, where a loss says so, how much of it counts.
        weights: one per example.
        reduction: of the loss.
    """
    total = ops.reduce_sum(made[0] * weights, 0)
    counted = made[1] if len(made) > 1 else None
    if reduction == "sum":
        return total, None
    if reduction == "mean" and counted is None:
        return total * scope.normalizer(), None
    if reduction == "mean" and counted is not None:
        divisor = scope.batch_sum(counted)
    else:
        divisor = ops.reduce_sum(weights if counted is None else weights * counted, 0)
    empty = ops.equal(divisor, 0.0)
    return ops.where(empty, 0.0, total / ops.where(empty, 1.0, divisor)), divisor


def require_batch(value: Value, path: str, exactly: bool = False) -> None:
    """Raise unless a value has one row per example or, exactly, one number."""
    if value.rank < 1 or value.shape[0] is not BATCH or (exactly and value.rank != 1):
        raise ShapeError(
            "must give one " + ("number" if exactly else "row") + " per example",
            where=path,
            got=str(value.type),
            hint="Leave the first axis alone; core takes the mean over the batch.",
        )
