"""Lookahead."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.optimizers.base import Scalars, Slot, Slots
from dnnbridge.optimizers.composed import AbstractFollower
from dnnbridge.optimizers.means import toward
from dnnbridge.specs.fields import PositiveFloat, PositiveInt
from dnnbridge.specs.spec import spec


@spec
class Lookahead(AbstractFollower):
    """slow += α (p - slow), p = slow, after every k inner updates (Zhang et al., 2019)

    slow starts as the initial weights. The slots of the inner optimizer are not reset.

    Args:
        optimizer: the inner optimizer, which moves p.
        steps: k.
        alpha: α.

    Example:
        >>> from dnnbridge import SGD
        >>> [Lookahead(SGD(0.1), steps=2).scalars(step)["sync"] for step in range(4)]
        [0.0, 1.0, 0.0, 1.0]
    """

    steps: PositiveInt = 6
    alpha: PositiveFloat = 0.5

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return {"slow": Slot(shape), "slow_started": Slot(())}

    def scalars(self, step: int) -> dict[str, float]:
        return {"sync": float((step + 1) % self.steps == 0)}

    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        started = slots["slow_started"] > 0.0
        slow = ops.where(started, slots["slow"], before)
        sync = scalars["sync"] > 0.0
        slow = ops.where(sync, toward(slow, after, self.alpha), slow)
        return ops.where(sync, slow, after), {
            "slow": slow,
            "slow_started": ops.where(started, slots["slow_started"], 1.0),
        }
