"""The output of a model for losses and metrics: probabilities, or the logits behind them."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol, Self, TypeVar

from dnnbridge import ops
from dnnbridge.graph import Builder, Op, Value


class MaySeeLogits(Protocol):
    """A loss or a metric."""

    @property
    def of_logits(self) -> Self | None:
        """Return the version that takes logits instead of probabilities, or None."""


O = TypeVar("O", bound=MaySeeLogits)  # noqa: E741


class Prediction:
    """An output of a model while the step is written.

    Args:
        builder: the builder of the graph that contains the losses.
        value: the output.
    """

    def __init__(self, builder: Builder, value: Value) -> None:
        self.builder, self.value = builder, builder.local(value)

    @cached_property
    def logits(self) -> Value | None:
        """The input of the model's final softmax or sigmoid; None without one."""
        made = self.builder.origin(self.value)
        if made is None or not makes_probabilities(made.op, self.value):
            return None
        return self.builder.behind(self.value)

    def taken_by(self, asked: O) -> tuple[O, Value]:
        """Return the loss or metric, and the value to call it on: the logits if it takes them."""
        of_logits = asked.of_logits
        if of_logits is None or self.logits is None:
            return asked, self.value
        return of_logits, self.logits


def makes_probabilities(op: Op, made: Value) -> bool:
    """Return whether an operation makes probabilities of classes, or of yes, in the last axis.

    Example:
        >>> builder = Builder("example")
        >>> from dnnbridge.graph import TensorType
        >>> x = builder.input("x", TensorType((None, 4, 3)))
        >>> [makes_probabilities(ops.Softmax(axis), x) for axis in (1, 2)]
        [False, True]
    """
    return isinstance(op, ops.Sigmoid) or (isinstance(op, ops.Softmax) and op.axis == made.rank - 1)
