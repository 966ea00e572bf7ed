"""Bases of optimizers that contain other optimizers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import PlainValidator

from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, Value
from dnnbridge.optimizers.base import AbstractOptimizer, ChangeOfRate, Scalars, Slots
from dnnbridge.optimizers.updates import Updates, Weight, in_order
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.rewriting import specs_in


class AbstractComposed(AbstractOptimizer):
    """Base of optimizers that let inner optimizers move the weights.

    A subclass defines `emit`, `host_scalars`, `rate` and `with_rate`.
    """

    @abstractmethod
    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None: ...

    @abstractmethod
    def host_scalars(self, step: int) -> dict[str, float]: ...

    @abstractmethod
    def rate(self, step: int) -> float: ...

    @abstractmethod
    def with_rate(self, change: ChangeOfRate) -> Self: ...

    def __post_init__(self) -> None:
        if self.weight_decay is not None:
            raise SpecError(
                "is only for optimizers that move weights themselves",
                where="weight_decay",
                hint="Give it to the inner optimizer.",
            )

    def scalars(self, step: int) -> dict[str, float]:
        """Return the host scalars of this optimizer alone; by default none."""
        return {}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        raise SpecError(
            "does not move weights itself", where=type(self).__name__, hint="Call emit instead."
        )

    def part(
        self, updates: Updates, key: str, inner: AbstractOptimizer, weights: Sequence[Weight]
    ) -> Updates:
        """Write the updates of an inner optimizer separately, and return them."""
        made = replace(updates.within(f"{key}."), writes={})
        inner.emit(made, weights)
        return made

    @staticmethod
    def under(key: str, scalars: dict[str, float]) -> dict[str, float]:
        """Return the host scalars of an inner optimizer under the names that `part` looks for."""
        return {f"{key}.{name}": value for name, value in scalars.items()}


@dataclass(frozen=True)
class AbstractWrapper(AbstractComposed):
    """Base of optimizers that wrap another. A subclass defines `emit`, which calls `emit_inner`.

    Args:
        optimizer: the inner optimizer.
    """

    optimizer: Annotated[AbstractOptimizer, PlainValidator(instance_of(AbstractOptimizer))]

    @property
    def average(self) -> str | None:
        return self.optimizer.average

    def inner_step(self, step: int) -> int:
        """Return how many updates the inner optimizer has made before this step."""
        return step

    def host_scalars(self, step: int) -> dict[str, float]:
        inner = self.optimizer.host_scalars(self.inner_step(step))
        return self.scalars(step) | self.under("inner", inner)

    def rate(self, step: int) -> float:
        return self.optimizer.rate(self.inner_step(step))

    def emit_inner(self, updates: Updates, weights: Sequence[Weight]) -> Updates:
        """Write the inner optimizer's updates separately, and return them."""
        return self.part(updates, "inner", self.optimizer, weights)

    def with_rate(self, change: ChangeOfRate) -> Self:
        changes: dict[str, Any] = {"optimizer": self.optimizer.with_rate(change)}
        return self.replace(**changes)


def updates_before(optimizer: AbstractOptimizer, step: int) -> int:
    """Return the updates before a step, which schedules count; accumulated steps make one."""
    while isinstance(optimizer, AbstractWrapper):
        step, optimizer = optimizer.inner_step(step), optimizer.optimizer
    return step


class AbstractFollower(AbstractWrapper):
    """Base of optimizers that act after an inner optimizer has moved the weights.

    A subclass defines `slots`, `scalars` and `follow`. A slot that starts as the weights needs
    another slot that records the start: a `DynamicLossScale` may skip the first step.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        waiting = waits_in(self.optimizer)
        if waiting is not None:
            raise SpecError(
                "would also act in steps that move no weights",
                where="optimizer",
                got=f"{waiting} inside",
                hint=f"Write {waiting}({type(self).__name__}(…), …).",
            )

    @abstractmethod
    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        """Write the new parameter and slots, from its values before and after the inner update."""

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        updates.writes |= self.emit_inner(updates, weights).writes
        scalars = {name: updates.scalars[name] for name in self.scalars(0)}
        for weight in weights:
            slots = updates.slots_of(self, weight)

            def write(
                _: Builder,
                given: tuple[Value, ...],
                weight: Weight = weight,
                slots: Slots = slots,
            ) -> list[Value]:
                kept = dict(zip(slots, given[2:], strict=False))
                host = dict(zip(scalars, given[2 + len(slots) :], strict=True))
                p, made = self.follow(given[0], given[1], kept, host)
                return in_order(self, weight, slots, p, made)

            arguments = [weight.value, updates.writes[weight.name], *slots.values()]
            arguments += scalars.values()
            made = updates.builder.call(self, weight.name, arguments, write)
            updates.take(weight, slots, made)


def waits_in(optimizer: AbstractOptimizer) -> str | None:
    """Return the name of an inner optimizer that waits in some steps, or None."""
    for each in specs_in(optimizer):
        if isinstance(each, AbstractOptimizer) and each.waits:
            return type(each).__name__
    return None
