"""Losses and metrics of an output with a mask of time steps: only its real steps count."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.time_axis import swapped
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses import AbstractLoss, TimeDistributedLoss
from dnnbridge.metrics import AbstractMetric


def of_steps(loss: AbstractLoss) -> TimeDistributedLoss:
    """Return a loss that gives one number for each step."""
    if isinstance(loss, TimeDistributedLoss):
        return loss
    return TimeDistributedLoss(loss.replace(reduction="mean"), reduction=loss.reduction)


def left_in(mask: Value, made: tuple[Value, ...]) -> tuple[Value, Value]:
    """Return the losses (batch, time) of real steps, and how much each step counts."""
    counted = mask if len(made) == 1 else mask * made[1]
    return ops.where(mask > 0.5, made[0], 0.0), counted


def check_mask(scope: Scope, mask: Value | None, prediction: Value, output: str) -> None:
    """Raise unless an output with a mask has features for each step."""
    scope.require(
        mask is None or (prediction.rank >= 3 and mask.shape == prediction.shape[:2]),
        "the mask of an output must have one number for each step (batch, time, …)",
        got="" if mask is None else f"({shape_text(mask.shape)}) for {output}: {prediction.type}",
        hint="Put Unmask() before it, if all steps count.",
    )


class OfSteps:
    """The statistic of a metric, summed over the real steps of each example.

    A metric that is a mean gets a second number: how many steps count.

    Args:
        metric: the metric.
        weighted: whether the mask holds weights: a step counts as often as its weight.
    """

    def __init__(self, metric: AbstractMetric, weighted: bool = False) -> None:
        self._metric, self._weighted = metric, weighted

    def emit(self, scope: Scope, prediction: Value, target: Value, mask: Value) -> Value:
        scope.require(
            self._weighted or not self._metric.uses_count,
            "the metric cannot leave out steps",
            got=type(self._metric).__name__,
            hint="Put Unmask() before the output, or leave the metric out.",
        )

        def step(
            inner: Scope, carries: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            made = inner.call(self._metric, *slices[:2], name="step")
            real = ops.reshape(slices[2], (*slices[2].shape, *(1,) * (made.rank - 1)))
            if self._weighted:
                return (), (ops.where(real > 0.0, made * real, 0.0),)
            return (), (ops.where(real > 0.5, made, 0.0),)

        sequences = [swapped(each) for each in (prediction, target, mask)]
        _, (made,) = scope.scan(step, [], sequences, scope.known(mask.shape[1], "steps"))
        total = ops.reduce_sum(made, 0)
        if total.rank > 1:
            return total
        count = ops.reduce_sum(mask, 1)
        return ops.concat([ops.reshape(each, (*each.shape, 1)) for each in (total, count)], 1)
