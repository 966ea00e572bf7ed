"""What a loss is: an equation that gives one number per example."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from dnnbridge import ops
from dnnbridge.base.calling import explained
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.calling import loss_of
from dnnbridge.losses.reducing import Reduction
from dnnbridge.losses.target import Target
from dnnbridge.specs.goals import Goal
from dnnbridge.specs.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractLoss(Spec):
    """Base of losses. A subclass defines `target` and `emit`.

    The loss of a batch is Σ w · l over its examples, l what `emit` returns and w the weight of
    the example: 1, or what `fit` is given as `sample_weight` and `class_weight`.

    Args:
        reduction: what that sum is divided by. "mean": the number of examples, as Keras does.
            "weighted_mean": Σ w, as MindSpore does with class weights; 0 where that is 0. "sum":
            nothing, and that of an epoch is the sum over all its examples.
    """

    goal: ClassVar[Goal] = "min"

    reduction: Reduction = "mean"

    @property
    def of_logits(self) -> Self | None:
        """The loss that takes the logits behind a final softmax or sigmoid in its place, if any."""
        return None

    @abstractmethod
    def target(self, prediction: TensorType) -> Target:
        """Return what labels must look like for a prediction of the given type."""

    @abstractmethod
    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value | tuple[Value, Value]:
        """Write the loss of every example: shape (batch,).

        A loss that leaves some of an example out gives a second value of that shape: how much of
        the example counts, which then takes the place of the 1 in what the batch is divided by.
        """

    @explained(name="a loss")
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Return the loss of arrays, reduced as in training, in float64; labels come first.

        Example:
            >>> from dnnbridge import MeanSquaredError
            >>> MeanSquaredError()([[0.0], [1.0]], [[0.5], [1.0]])
            0.125
            >>> MeanSquaredError()([[0.0], [1.0]], [[0.5], [1.0]], sample_weight=[2.0, 1.0])
            0.25
        """
        return loss_of(self, y_true, y_pred, sample_weight)


def per_example(x: Value) -> Value:
    """Return the mean over all axes but the first."""
    return ops.reduce_mean(x, tuple(range(1, x.rank))) if x.rank > 1 else x


def power(x: Value, exponent: float, epsilon: float) -> Value:
    """Return x^exponent for x in [0, 1], clipped to at least epsilon, with gradient 0 below."""
    return ops.exp(exponent * ops.log(ops.clip(x, epsilon, 1.0)))
