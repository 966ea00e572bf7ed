"""Metrics computed from the mean of a loss."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import PlainValidator

from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses import (
    AbstractLoss,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from dnnbridge.losses.target import Target
from dnnbridge.metrics.answers import mean_statistic
from dnnbridge.metrics.base import AbstractMetric, mean
from dnnbridge.specs.fields import Bool, Int
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.spec import alias_of, spec


@spec
class LossMetric(AbstractMetric):
    """Mean of a loss over the examples; `metrics=[MeanAbsoluteError()]` is short for it

    The loss must take labels of the type that the experiment's own loss takes.

    Args:
        loss: the loss to report, by default under its alias.

    Example:
        >>> from dnnbridge import MeanAbsoluteError
        >>> LossMetric(MeanAbsoluteError()).label
        'mean_absolute_error'
    """

    goal = "min"

    loss: Annotated[AbstractLoss, PlainValidator(instance_of(AbstractLoss))]

    @property
    def label(self) -> str:
        return self.name or alias_of(type(self.loss))

    @property
    def of_logits(self) -> Self | None:
        found = self.loss.of_logits
        return None if found is None else self.replace(loss=found)

    def target(self, prediction: TensorType) -> Target:
        return self.loss.target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        wanted = self.target(prediction.type).type
        scope.require(
            wanted == target.type,
            f"labels must be {wanted}",
            got=f"{target.type}, as the experiment's loss takes them",
            hint="Report a loss that takes the same labels as the experiment's loss.",
        )
        scope.require(
            self.loss.weights(prediction.type).rank == 1,
            "metrics do not weigh steps",
            got=type(self.loss).__name__,
            hint="Report the loss inside it.",
        )
        return mean_statistic(self.loss.emit(scope, prediction, target))


@spec
class Perplexity(AbstractMetric):
    """exp of the mean cross-entropy over all examples, and over all steps of sequences

    Labels are class numbers or distributions.

    Args:
        from_logits: as in `SparseCategoricalCrossentropy`.
        ignore_class: class number of labels to ignore.

    Example:
        >>> round(Perplexity().result(np.array(2 * np.log(8)), 2), 12)
        8.0
    """

    goal = "min"

    from_logits: Bool = False
    ignore_class: Int | None = None

    @property
    def of_logits(self) -> Self | None:
        return None if self.from_logits else self.replace(from_logits=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        if target.dtype != "int32":
            categorical = CategoricalCrossentropy(self.from_logits)
            return mean_statistic(categorical.emit(scope, prediction, target))
        sparse = SparseCategoricalCrossentropy(self.from_logits, ignore_class=self.ignore_class)
        return mean_statistic(sparse.emit(scope, prediction, target))

    def result(self, total: Array, count: float) -> float:
        return float(np.exp(mean(total, count)))
