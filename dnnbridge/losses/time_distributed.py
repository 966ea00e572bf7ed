"""`TimeDistributedLoss`: a loss of every time step, so that each step can have a weight."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import PlainValidator

from dnnbridge.emit.scope import Scope
from dnnbridge.emit.time_axis import swapped
from dnnbridge.errors import ShapeError, SpecError
from dnnbridge.graph import BATCH, TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss
from dnnbridge.losses.target import Target
from dnnbridge.specs.json_types import by_name, of_kind, read_as
from dnnbridge.specs.resolving import named
from dnnbridge.specs.spec import spec


@spec
class TimeDistributedLoss(AbstractLoss):
    """A loss of every step of outputs (batch, time, …), with a weight per step

    `fit` and `evaluate` then take `sample_weight` of shape (batch, time), or (batch,) for all steps
    of an example. A weight of 0 leaves a step out. Each step counts as an example: "mean" divides
    the sum of w · l by batch · time, "weighted_mean" by the sum of w, and "sum" by nothing, as in
    Keras. Steps are computed in a loop.

    Args:
        loss: the loss of a step, with the reduction "mean"; give the reduction to this loss.

    Example:
        >>> from dnnbridge import MeanSquaredError
        >>> loss = TimeDistributedLoss(MeanSquaredError())
        >>> loss([[[1.0], [3.0]]], [[[0.0], [0.0]]], sample_weight=[[1.0, 0.0]])
        0.5
    """

    loss: Annotated[
        AbstractLoss,
        PlainValidator(named(AbstractLoss)),
        read_as(of_kind(AbstractLoss), by_name(AbstractLoss)),
    ]

    def __post_init__(self) -> None:
        if self.loss.reduction != "mean":
            raise SpecError(
                "the loss of a step must have the reduction mean",
                where="loss",
                got=self.loss.reduction,
                hint="Write TimeDistributedLoss(loss, reduction=…).",
            )

    @property
    def from_logits(self) -> bool | None:
        """Whether the loss of a step takes logits; None if it does not say."""
        return getattr(self.loss, "from_logits", None)

    @property
    def of_logits(self) -> Self | None:
        inner = self.loss.of_logits
        return None if inner is None else self.replace(loss=inner)

    def target(self, prediction: TensorType) -> Target:
        if prediction.rank < 3:
            raise ShapeError(
                "TimeDistributedLoss needs an output (batch, time, …)",
                got=f"shape ({shape_text(prediction.shape)})",
                hint="Give the loss itself, or return_sequences=True to a recurrent layer.",
            )
        return self.loss.target(prediction)

    def weights(self, prediction: TensorType) -> TensorType:
        return TensorType((BATCH, prediction.shape[1]))

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value | tuple[Value, Value]:
        def step(
            inner: Scope, carries: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            return (), inner.call_all(self.loss, *slices, name="step")

        length = scope.known(prediction.shape[1], "the number of steps")
        _, made = scope.scan(step, [], [swapped(prediction), swapped(target)], length)
        losses, *counted = map(swapped, made)
        return (losses, counted[0]) if counted else losses
