"""What a model ends with, as losses and metrics see it: probabilities, or logits behind them."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol, Self, TypeVar

from dnnbridge import ops
from dnnbridge.graph import Builder, Op, Value


class MaySeeLogits(Protocol):
    """A loss or a metric."""

    @property
    def of_logits(self) -> Self | None:
        """The one that takes logits in place of probabilities, if it sees them."""


O = TypeVar("O", bound=MaySeeLogits)  # noqa: E741


class Prediction:
    """An output of a model while the step is written.

    Args:
        builder: of the graph that the losses are written in.
        value: the output.
    """

    def __init__(self, builder: Builder, value: Value) -> None:
        self.builder, self.value = builder, builder.local(value)

    @cached_property
    def logits(self) -> Value | None:
        """What the softmax or the sigmoid that the model ends with is of; None if it has none."""
        made = self.builder.origin(self.value)
        if made is None or not makes_probabilities(made.op, self.value):
            return None
        return self.builder.behind(self.value)

    def taken_by(self, asked: O) -> tuple[O, Value]:
        """Return a loss or metric, and the value to call it on: the logits, if it sees them."""
        of_logits = asked.of_logits
        if of_logits is None or self.logits is None:
            return asked, self.value
        return of_logits, self.logits


def makes_probabilities(op: Op, made: Value) -> bool:
    """Say whether an operation makes the probabilities of classes, or of yes, along the last axis.

    Example:
        >>> builder = Builder("example")
        >>> from dnnbridge.graph import TensorType
        >>> x = builder.input("x", TensorType((None, 4, 3)))
        >>> [makes_probabilities(ops.Softmax(axis), x) for axis in (1, 2)]
        [False, True]
    """
    return isinstance(op, ops.Sigmoid) or (isinstance(op, ops.Softmax) and op.axis == made.rank - 1)
