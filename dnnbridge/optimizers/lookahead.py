"""Lookahead."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import InstanceOf

from dnnbridge import ops
from dnnbridge.fields import PositiveFloat, PositiveInt
from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.optimizers.means import toward
from dnnbridge.specification import spec
from dnnbridge.updates import Updates, Weight


@spec
class Lookahead(AbstractWrapper):
    """slow += α (p - slow), p = slow, after every k updates by another (Zhang et al., 2019)

    slow starts as the first weights. The slots of the optimizer inside go on as they are.

    Args:
        optimizer: what moves p between.
        steps: k.
        alpha: α.

    Example:
        >>> from dnnbridge import SGD
        >>> [Lookahead(SGD(0.1), steps=2).scalars(step)["sync"] for step in range(4)]
        [0.0, 1.0, 0.0, 1.0]
    """

    optimizer: InstanceOf[AbstractOptimizer]
    steps: PositiveInt = 6
    alpha: PositiveFloat = 0.5

    @property
    def inner(self) -> AbstractOptimizer:
        return self.optimizer

    @property
    def average(self) -> str | None:
        return self.optimizer.average

    def scalars(self, step: int) -> dict[str, float]:
        return {"first": float(step == 0), "sync": float((step + 1) % self.steps == 0)}

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        made = self.emit_inner(updates, weights)
        updates.writes |= made.writes
        first, sync = updates.scalars["first"] > 0.0, updates.scalars["sync"] > 0.0
        for weight in weights:
            name, fast = f"{weight.name}:slow", made.writes[weight.name]
            slow = ops.where(first, weight.value, updates.slot(name, weight.array.shape))
            slow = updates.writes[name] = ops.where(sync, toward(slow, fast, self.alpha), slow)
            updates.writes[weight.name] = ops.where(sync, slow, fast)
