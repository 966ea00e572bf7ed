"""`AbstractLoss`: an equation that gives one number per example."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from dnnbridge import ops
from dnnbridge.base.calling import explained
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import BATCH, TensorType, Value
from dnnbridge.losses.calling import loss_of
from dnnbridge.losses.reducing import Reduction
from dnnbridge.losses.target import Target
from dnnbridge.specs.goals import Goal
from dnnbridge.specs.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractLoss(Spec):
    """Base of losses. A subclass defines `emit`, and `target` if labels are unlike predictions.

    The loss of a batch is Σ w · l over its examples, divided as `reduction` says. Here l is what
    `emit` returns. The weight w is 1 unless `fit` gets `sample_weight` or `class_weight`.

    Args:
        reduction: the divisor of the sum. "mean": the number of examples, as in Keras.
            "weighted_mean": Σ w, as in MindSpore with class weights; the loss is 0 if Σ w is 0.
            "sum": no divisor; the loss of an epoch is the sum over all its examples.
    """

    goal: ClassVar[Goal] = "min"

    reduction: Reduction = "mean"

    @property
    def of_logits(self) -> Self | None:
        """The loss to use on the logits before a final softmax or sigmoid, if any."""
        return None

    def target(self, prediction: TensorType) -> Target:
        """Return the labels that a prediction of this type needs: by default others of the type.

        A loss of class numbers returns what such a loss does:
        `SparseCategoricalCrossentropy().target(prediction)`.
        """
        return Target(prediction)

    def weights(self, prediction: TensorType) -> TensorType:
        """Return the type of the sample weights, which is that of the losses: one per example."""
        return TensorType((BATCH,))

    @abstractmethod
    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value | tuple[Value, Value]:
        """Write the loss of every example: shape (batch,).

        A loss that ignores part of an example returns a second value of that shape: how much of
        the example counts. The divisor of the batch then adds this value instead of 1.
        """

    @explained(name="a loss")
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Return the loss of labels and predictions, in float64, reduced as in training.

        Example:
            >>> from dnnbridge import MeanSquaredError
            >>> MeanSquaredError()([[0.0], [1.0]], [[0.5], [1.0]])
            0.125
            >>> MeanSquaredError()([[0.0], [1.0]], [[0.5], [1.0]], sample_weight=[2.0, 1.0])
            0.25
        """
        return loss_of(self, y_true, y_pred, sample_weight)


def per_example(x: Value) -> Value:
    """Return the mean over all axes except the first."""
    return ops.reduce_mean(x, tuple(range(1, x.rank))) if x.rank > 1 else x


def power(x: Value, exponent: float, epsilon: float) -> Value:
    """Return x^exponent for x clipped to [epsilon, 1]; below epsilon the gradient is 0."""
    return ops.exp(exponent * ops.log(ops.clip(x, epsilon, 1.0)))
