"""`Updates`: the part of the training graph that follows the gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from dnnbridge import ops
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, TensorType, Value
from dnnbridge.initializers import AbstractInitializer, Zeros

if TYPE_CHECKING:
    from dnnbridge.optimizers.base import AbstractOptimizer


DECAY = "weight_decay:factor"
"""Name of the host scalar of a weight decay."""


class Writer(Protocol):
    """A spec that computes one value from another: a constraint."""

    @property
    def emit(self) -> Callable[[Value], Value]: ...


@dataclass(frozen=True)
class Weight:
    """A parameter that an optimizer moves: its declaration, value and gradient."""

    array: StateArray
    value: Value
    gradient: Value

    @property
    def name(self) -> str:
        return self.array.name


@dataclass
class Updates:
    """Where an optimizer writes: a graph, its host scalars, and new values of state arrays.

    Attributes:
        builder: of the graph.
        scalars: the host scalars of `AbstractOptimizer.host_scalars`, by name.
        slots: arrays kept between steps, by name.
        reads: the graph inputs that read these arrays, with the names of the arrays.
        writes: new values of parameters and slots, by name.
        names: names of all weights of the model, including frozen ones.
        loss_factor: factor of the loss, applied before differentiation.
        divisor: returns the divisor of the step's loss, or None for a sum; raises if the loss has
            no single divisor.
    """

    builder: Builder
    scalars: Mapping[str, Value]
    slots: dict[str, StateArray] = field(default_factory=dict)
    reads: dict[Value, str] = field(default_factory=dict)
    writes: dict[str, Value] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    loss_factor: Value | float = 1.0
    divisor: Callable[[], Value | float | None] = lambda: 1.0

    @classmethod
    def of(cls, builder: Builder, optimizer: AbstractOptimizer) -> Updates:
        """Return the updates of an optimizer, whose host scalars become inputs of the graph."""
        names = optimizer.host_scalars(0)
        return cls(builder, {n: builder.input(f"scalar:{n}", TensorType(())) for n in names})

    def within(self, prefix: str) -> Updates:
        """Return a copy for an inner optimizer, whose host scalars start with the prefix."""
        inner = {n.removeprefix(prefix): v for n, v in self.scalars.items() if n.startswith(prefix)}
        return replace(self, scalars=inner)

    def slot(
        self, name: str, shape: tuple[int, ...], initializer: AbstractInitializer | None = None
    ) -> Value:
        """Declare an array that is kept between steps and return its value."""
        if name in self.slots:
            raise SpecError(
                "two optimizer arrays have the same name",
                where=name,
                hint="Do not wrap an optimizer twice in the same way.",
            )
        array = StateArray(name, shape, initializer or Zeros(), trainable=False)
        value = self.builder.input(name, array.type)
        self.slots[name], self.reads[value] = array, name
        return value

    def slots_of(self, optimizer: AbstractOptimizer, weight: Weight) -> dict[str, Value]:
        """Declare the slots that an optimizer keeps for a parameter."""
        return {
            name: self.slot(f"{weight.name}:{name}", shape, initializer)
            for name, (shape, initializer) in optimizer.slots(weight.array.shape).items()
        }

    def record(self, optimizer: AbstractOptimizer, weight: Weight) -> None:
        """Write the update of one parameter: its weight decay, then a call of the optimizer."""
        p, g = self._decayed(optimizer, weight)
        slots = self.slots_of(optimizer, weight)
        scalars = {name: value for name, value in self.scalars.items() if name != DECAY}

        def write(_: Builder, given: tuple[Value, ...]) -> list[Value]:
            kept = dict(zip(slots, given[2:], strict=False))
            host = dict(zip(scalars, given[2 + len(slots) :], strict=True))
            new_p, made = optimizer.update(given[0], given[1], kept, host)
            return in_order(optimizer, weight, slots, new_p, made)

        made = self.builder.call(
            optimizer, weight.name, [p, g, *slots.values(), *scalars.values()], write
        )
        self.take(weight, slots, made)

    def take(self, weight: Weight, slots: Mapping[str, Value], made: Sequence[Value]) -> None:
        """Write the new values of a parameter and its slots."""
        keys = [weight.name, *(f"{weight.name}:{name}" for name in slots)]
        self.writes |= dict(zip(keys, made, strict=True))

    def replaced(self, spec: Writer, weight: Weight) -> None:
        """Replace the new value of a parameter by what a spec computes from it."""

        def write(_: Builder, given: tuple[Value, ...]) -> list[Value]:
            return in_order(spec, weight, {}, spec.emit(*given), {})

        now = self.writes[weight.name]
        (self.writes[weight.name],) = self.builder.call(spec, weight.name, [now], write)

    def _decayed(self, optimizer: AbstractOptimizer, weight: Weight) -> tuple[Value, Value]:
        decay = optimizer.weight_decay
        if decay is None or not decay.applies(weight.name):
            return weight.value, weight.gradient

        def write(_: Builder, given: tuple[Value, ...]) -> list[Value]:
            p, g = decay.emit(*given)
            return in_order(decay, weight, {"gradient": weight.gradient}, p, {"gradient": g})

        given = [weight.value, weight.gradient, self.scalars[DECAY]]
        p, g = self.builder.call(decay, weight.name, given, write)
        return p, g

    def only_if(self, condition: Value, inner: Updates, weights: Sequence[Weight]) -> None:
        """Take over the writes of an inner optimizer if the scalar condition holds.

        Otherwise every array keeps its value.
        """
        before = {weight.name: weight.value for weight in weights}
        before |= {name: value for value, name in self.reads.items()}
        for name, value in inner.writes.items():
            self.writes[name] = ops.where(condition, value, before[name])


def in_order(
    spec: object,
    weight: Weight,
    slots: Mapping[str, Value],
    p: Value,
    made: Mapping[str, Value],
) -> list[Value]:
    """Return the new values of a parameter and its slots, or raise if a type has changed."""
    wanted = {"p": weight.value.type} | {f"slot {n}": slots[n].type for n in slots}
    found = {"p": p.type} | {f"slot {name}": value.type for name, value in made.items()}
    if found != wanted:
        raise SpecError(
            f"{type(spec).__name__} must keep the shape and dtype of p and of every slot",
            where=weight.name,
            got=", ".join(f"{name} {type}" for name, type in found.items()),
            hint="Expected " + ", ".join(f"{name} {type}" for name, type in wanted.items()) + ".",
        )
    return [p, *(made[name] for name in slots)]
