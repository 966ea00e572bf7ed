"""Reduce the losses of examples to the loss of a batch."""

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
"""Divisor of the weighted sum of a batch: the number of examples, none, or the sum of weights.

The names of Keras are accepted too: "sum_over_batch_size" is "mean" and "mean_with_sample_weight"
is "weighted_mean".
"""


def reduced(
    scope: Scope, made: Sequence[Value], weights: Value, reduction: Reduction
) -> tuple[Value, Value | None]:
    """Return the loss of the batch, and its divisor if the step computes one.

    Args:
        scope: the scope to write in.
        made: the loss of each example and, for some losses, how much of the example counts.
        weights: one per example.
        reduction: the reduction of the loss.
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
    """Raise unless a value has one row per example, or one number if `exactly`."""
    if value.rank < 1 or value.shape[0] is not BATCH or (exactly and value.rank != 1):
        raise ShapeError(
            "must give one " + ("number" if exactly else "row") + " per example",
            where=path,
            got=str(value.type),
            hint="Do not reduce the first axis: the mean over the batch is taken afterwards.",
        )
