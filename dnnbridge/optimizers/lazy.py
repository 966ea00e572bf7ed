"""Adam that changes only those rows of a table that a batch reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.scaled import scaled
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.optimizers.weight_decay import mindspore_decay
from dnnbridge.schedules import FractionLike, ScheduleField, ScheduleLike
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, default
from dnnbridge.specs.patterns import check_patterns, named_by
from dnnbridge.specs.spec import spec

TABLES = ("embeddings", "*/embeddings")
"""Names of the tables of `Embedding`."""


@spec
class LazyAdam(AbstractOptimizer):
    """`Adam`, but a row of a table keeps its value, m and v while its gradient is 0

    The equation differs from Adam's, where the means decay in every step and move every row. A
    step changes only the rows that the batch reads, so a large table costs only the rows read. α
    depends on the step, not on how often a row has moved. A row read with a gradient of exactly 0,
    such as padding, stays too; `mindspore.nn.LazyAdam` and TensorFlow Addons' LazyAdam move it.

    Args:
        learning_rate: a number or a schedule of the step.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `Adam`.
        lazy: patterns of the weights that are updated by row; `Adam` moves the others. A row is
            an element of the first axis.
        epsilon_hat: as in `Adam`.
        nesterov: as in `Adam`.

    Example:
        >>> LazyAdam(0.01).lazy
        ('embeddings', '*/embeddings')
    """

    learning_rate: ScheduleField = default(0.001)
    beta_1: FractionLike = 0.9
    beta_2: Fraction = 0.999
    epsilon: NonNegativeFloat = 1e-7
    lazy: tuple[str, ...] = TABLES
    epsilon_hat: Bool = field(default=True, kw_only=True)
    nesterov: Bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        _ = self.adam  # validates the arguments that go to Adam

    @cached_property
    def adam(self) -> Adam:
        """The optimizer of all other weights."""
        given = self.learning_rate, self.beta_1, self.beta_2, self.epsilon, self.epsilon_hat
        more: dict[str, Any] = {"nesterov": self.nesterov, "weight_decay": self.weight_decay}
        return Adam(*given, **more)

    @property
    def leaves_rows(self) -> bool:
        return True

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        return self.adam.slots(shape)

    def scalars(self, step: int) -> dict[str, float]:
        return self.adam.scalars(step)

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        check_patterns([p for p in self.lazy if p not in TABLES], updates.names, "lazy")
        adam, names = self.adam, self.lazy
        adam.emit(updates, [w for w in weights if not named_by(w.name, names)])
        super().emit(updates, [w for w in weights if named_by(w.name, names)])

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        return self.update_rows(p, g, slots, scalars, g.rank - 1)

    def update_rows(
        self, p: Value, g: Value, slots: Slots, scalars: Scalars, axes: int
    ) -> tuple[Value, Slots]:
        new, made = self.adam.update(p, g, slots, scalars)
        still = ops.equal(g, 0.0)
        if axes > 0:
            last = tuple(range(g.rank - axes, g.rank))
            moves = ops.reduce_max(ops.where(still, 0.0, 1.0), last, keepdims=True)
            still = ops.equal(moves, 0.0)
        return ops.where(still, p, new), {n: ops.where(still, slots[n], made[n]) for n in made}

    @classmethod
    def mindspore(
        cls,
        learning_rate: ScheduleLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_nesterov: bool = False,
        weight_decay: ScheduleLike = 0.0,
        loss_scale: float = 1.0,
    ) -> AbstractOptimizer:
        """Return `mindspore.nn.LazyAdam` with these arguments.

        MindSpore's is lazy only with `nn.EmbeddingLookup(sparse=True)`; this one is lazy with
        every `Embedding`.
        """
        more: dict[str, Any] = {"nesterov": use_nesterov}
        more["weight_decay"] = mindspore_decay(weight_decay)
        return scaled(cls(learning_rate, beta1, beta2, eps, **more), loss_scale)
