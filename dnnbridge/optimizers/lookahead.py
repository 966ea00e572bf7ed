"""Lookahead."""

from __future__ import annotations

from pydantic import InstanceOf

from dnnbridge import ops
from dnnbridge.fields import PositiveFloat, PositiveInt
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.composed import AbstractFollower
from dnnbridge.optimizers.means import toward
from dnnbridge.specification import spec


@spec
class Lookahead(AbstractFollower):
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

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"slow": Slot(shape)}

    def scalars(self, step: int) -> dict[str, float]:
        return {"first": float(step == 0), "sync": float((step + 1) % self.steps == 0)}

    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        slow = ops.where(scalars["first"] > 0.0, before, slots["slow"])
        sync = scalars["sync"] > 0.0
        slow = ops.where(sync, toward(slow, after, self.alpha), slow)
        return ops.where(sync, slow, after), {"slow": slow}
