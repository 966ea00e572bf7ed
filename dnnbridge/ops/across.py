"""Operations that combine what the workers of a training computed, each from its part of a batch.

A value without a batch axis is the same on every worker. One with a batch axis has only the
worker's own rows. With one worker both operations return their operand.
"""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.ops.rule import Rule


@dataclass(frozen=True)
class AbstractAcrossWorkers(Op):
    """float -> float of the same shape, computed by all workers together."""

    rounds = False  # with one worker

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        return x


class AllReduceSum(AbstractAcrossWorkers):
    """Sum of an operand over all workers, the same on each

    The result is the same everywhere, and so is its gradient: each worker's operand gets it whole.
    """


class AllReduceGradient(AbstractAcrossWorkers):
    """The operand itself, the same on each worker; its gradient is summed over all workers

    It stands where such a value meets a worker's own rows, from which comes a part of the gradient.
    """


def all_reduce_sum(x: Value) -> Value:
    return x.builder.add(AllReduceSum(), x)


def all_reduce_gradient(x: Value) -> Value:
    return x.builder.add(AllReduceGradient(), x)


RULES: dict[type[Op], Rule] = {
    AllReduceSum: Rule(lambda op, x: x, lambda op, xs, y, dy: (dy,)),
    AllReduceGradient: Rule(lambda op, x: x, lambda op, xs, y, dy: (dy,)),
}
"""With one worker."""
