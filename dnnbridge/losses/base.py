"""What a loss is: an equation that gives one number per example."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from dnnbridge import ops
from dnnbridge.graph import TensorType, Value
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec


@dataclass(frozen=True)
class Target:
    """What a loss expects as labels; arrays are checked against it before anything runs.

    Attributes:
        type: shape and dtype for a batch.
        classes: labels are whole numbers from 0 to classes - 1, where set.
        distribution: rows of the last axis are within [0, 1] and sum to 1.
    """

    type: TensorType
    classes: int | None = None
    distribution: bool = False


class AbstractLoss(Spec):
    """Base of losses. A subclass defines `target` and `emit`.

    The training loss is the mean over the batch of what `emit` returns.
    """

    @abstractmethod
    def target(self, prediction: TensorType) -> Target:
        """Return what labels must look like for a prediction of the given type."""

    @abstractmethod
    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        """Write the loss of every example: shape (batch,)."""


def per_example(x: Value) -> Value:
    """Return the mean over all axes but the first."""
    return ops.reduce_mean(x, tuple(range(1, x.rank))) if x.rank > 1 else x
