"""Bases of optimizers that are made of optimizers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, Value
from dnnbridge.optimizers.base import AbstractOptimizer, ChangeOfRate, Scalars, Slots
from dnnbridge.updates import Updates, Weight


class AbstractComposed(AbstractOptimizer):
    """Base of optimizers that leave the moving of weights to others.

    A subclass defines `emit`, `host_scalars` and `with_rate`.
    """

    def __post_init__(self) -> None:
        if self.weight_decay is not None:
            raise SpecError(
                "is for optimizers that move weights",
                where=f"{type(self).__name__}.weight_decay",
                hint="Give it to the inner optimizer.",
            )

    def scalars(self, step: int) -> dict[str, float]:
        """Return its own host scalars; by default none."""
        return {}

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        raise SpecError("moves no weights by itself", where=type(self).__name__, hint="See emit.")

    def part(
        self, updates: Updates, key: str, inner: AbstractOptimizer, weights: Sequence[Weight]
    ) -> Updates:
        """Write the updates of an inner optimizer apart from the others, and return them."""
        made = replace(updates.within(f"{key}."), writes={})
        inner.emit(made, weights)
        return made

    @staticmethod
    def under(key: str, scalars: dict[str, float]) -> dict[str, float]:
        """Return the host scalars of an inner optimizer under the names that `part` looks for."""
        return {f"{key}.{name}": value for name, value in scalars.items()}


class AbstractWrapper(AbstractComposed):
    """Base of optimizers around one other. A subclass has a field `optimizer`, and `emit`."""

    @property
    @abstractmethod
    def inner(self) -> AbstractOptimizer:
        """The field `optimizer`."""

    @property
    def average(self) -> str | None:
        return self.inner.average

    def inner_step(self, step: int) -> int:
        """Return how many updates the inner optimizer has made before this step."""
        return step

    def host_scalars(self, step: int) -> dict[str, float]:
        inner = self.inner.host_scalars(self.inner_step(step))
        return self.scalars(step) | self.under("inner", inner)

    def emit_inner(self, updates: Updates, weights: Sequence[Weight]) -> Updates:
        """Write the inner optimizer's updates apart from the others, and return them."""
        return self.part(updates, "inner", self.inner, weights)

    def with_rate(self, change: ChangeOfRate) -> Self:
        changes: dict[str, Any] = {"optimizer": self.inner.with_rate(change)}
        return self.replace(**changes)


class AbstractFollower(AbstractWrapper):
    """Base of optimizers that see the weights which another one has just moved.

    A subclass has a field `optimizer`, and defines `slots`, `scalars` and `follow`.
    """

    @abstractmethod
    def follow(
        self, before: Value, after: Value, slots: Slots, scalars: Scalars
    ) -> tuple[Value, Slots]:
        """Write what becomes of a parameter and of the slots, from its value before and after."""

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        updates.writes |= self.emit_inner(updates, weights).writes
        scalars = list(self.scalars(0))
        for weight in weights:
            slots = updates.slots_of(self, weight)

            def write(
                _: Builder, given: tuple[Value, ...], names: Sequence[str] = tuple(slots)
            ) -> list[Value]:
                kept = dict(zip((*names, *scalars), given[2:], strict=True))
                p, made = self.follow(given[0], given[1], kept, kept)
                return [p, *(made[name] for name in names)]

            host = [updates.scalars[name] for name in scalars]
            arguments = [weight.value, updates.writes[weight.name], *slots.values(), *host]
            made = updates.builder.call(self, weight.name, arguments, write)
            keys = [weight.name, *(f"{weight.name}:{name}" for name in slots)]
            updates.writes |= dict(zip(keys, made, strict=True))
