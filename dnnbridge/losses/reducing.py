"""Reduce the losses of examples to the loss of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import ShapeError
from dnnbridge.graph import BATCH, TensorType, Value
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
        weights: one per example, or per step: (batch, time). The losses have the same shape.
        reduction: the reduction of the loss.
    """
    weighted = made[0] * weights
    if reduction == "sum":
        return ops.reduce_sum(weighted, tuple(range(weighted.rank))), None
    total = ops.reduce_sum(_of_example(weighted), 0)
    counted = made[1] if len(made) > 1 else None
    if reduction == "mean" and counted is None:
        return total * scope.normalizer(), None
    if reduction == "mean" and counted is not None:
        divisor = scope.batch_sum(_of_example(counted))
    else:
        counts = weights if counted is None else weights * counted
        divisor = ops.reduce_sum(_of_example(counts), 0)
    empty = ops.equal(divisor, 0.0)
    return ops.where(empty, 0.0, total / ops.where(empty, 1.0, divisor)), divisor


def _of_example(x: Value) -> Value:
    """Return the mean over the steps of each example."""
    return x if x.rank == 1 else ops.reduce_mean(x, 1)


def require_batch(value: Value, path: str, exactly: TensorType | None = None) -> None:
    """Raise unless a value has one row per example, or exactly this type."""
    wrong = value.rank < 1 or value.shape[0] is not BATCH
    if wrong or (exactly and value.type != exactly):
        several = " and step" if exactly and exactly.rank > 1 else ""
        raise ShapeError(
            "must give one " + ("number" if exactly else "row") + f" per example{several}",
            where=path,
            got=str(value.type),
            hint="Do not reduce the first axis: the mean over the batch is taken afterwards.",
        )
