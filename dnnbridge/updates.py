"""`Updates`: what follows the gradients in the graph of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, TensorType, Value
from dnnbridge.initializers import AbstractInitializer, Zeros
from dnnbridge.scope import StateArray
from dnnbridge.weight_decay import as_weight_decay

if TYPE_CHECKING:
    from dnnbridge.optimizers.base import AbstractOptimizer


@dataclass(frozen=True)
class Weight:
    """A parameter that an optimizer moves: what it is, its value and its gradient."""

    array: StateArray
    value: Value
    gradient: Value

    @property
    def name(self) -> str:
        return self.array.name


@dataclass
class Updates:
    """Where an optimizer writes: a graph, its host scalars, and what becomes of state arrays.

    Attributes:
        builder: of the graph.
        scalars: the host scalars of `AbstractOptimizer.host_scalars`, by name.
        slots: arrays kept between steps, by name.
        reads: the inputs that read such an array, with its name.
        writes: new values of parameters and slots, by name.
        names: names of all weights of the model, those that are frozen too.
    """

    builder: Builder
    scalars: Mapping[str, Value]
    slots: dict[str, StateArray] = field(default_factory=dict)
    reads: dict[Value, str] = field(default_factory=dict)
    writes: dict[str, Value] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, builder: Builder, optimizer: AbstractOptimizer) -> Updates:
        """Return the updates of an optimizer, whose host scalars become inputs of the graph."""
        names = optimizer.host_scalars(0)
        return cls(builder, {n: builder.input(f"scalar:{n}", TensorType(())) for n in names})

    def within(self, prefix: str) -> Updates:
        """Return the same for an inner optimizer, whose host scalars begin with the prefix."""
        inner = {n.removeprefix(prefix): v for n, v in self.scalars.items() if n.startswith(prefix)}
        return replace(self, scalars=inner)

    def slot(
        self, name: str, shape: tuple[int, ...], initializer: AbstractInitializer | None = None
    ) -> Value:
        """Declare an array that is kept between steps and return its value."""
        if name in self.slots:
            raise SpecError(
                "two arrays of optimizers have one name",
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
        """Write the update of one parameter: its decay, a call of the optimizer, its constraint."""
        array, p, g = weight.array, weight.value, weight.gradient
        decay = as_weight_decay(optimizer.weight_decay)
        if decay is not None and decay.applies(array.name):
            p, g = self.builder.call(
                decay,
                array.name,
                [p, g, self.scalars["decay"]],
                lambda _, given: decay.emit(*given),
            )
        slots = self.slots_of(optimizer, weight)
        names = ["p", *slots]
        scalars = [name for name in self.scalars if name != "decay"]

        def write(_: Builder, given: tuple[Value, ...]) -> list[Value]:
            values = iter(given[2:])
            inner = {name: next(values) for name in slots}
            host = {name: next(values) for name in scalars}
            new_p, new_slots = optimizer.update(given[0], given[1], inner, host)
            made = {"p": new_p, **new_slots}
            _require_types(optimizer, array.name, made, {"p": p} | slots)
            return [made[name] for name in names]

        arguments = [p, g, *slots.values(), *(self.scalars[name] for name in scalars)]
        made = self.builder.call(optimizer, array.name, arguments, write)
        if array.constraint is not None:
            constraint = array.constraint
            made[:1] = self.builder.call(
                constraint, array.name, made[:1], lambda _, given: [constraint.emit(*given)]
            )
        keys = [array.name, *(f"{array.name}:{name}" for name in slots)]
        self.writes |= dict(zip(keys, made, strict=True))

    def only_if(self, condition: Value, inner: Updates, weights: Sequence[Weight]) -> None:
        """Take over what an inner optimizer wrote, where the scalar condition holds.

        Where it does not, every array stays as it was.
        """
        before = {weight.name: weight.value for weight in weights}
        before |= {name: value for value, name in self.reads.items()}
        for name, value in inner.writes.items():
            self.writes[name] = ops.where(condition, value, before[name])


def _require_types(
    optimizer: AbstractOptimizer, path: str, made: Mapping[str, Value], given: Mapping[str, Value]
) -> None:
    if {name: value.type for name, value in made.items()} != {
        name: value.type for name, value in given.items()
    }:
        raise SpecError(
            f"{type(optimizer).__name__}.update must keep p and every slot as they are",
            where=path,
            got=", ".join(f"{name} {value.type}" for name, value in made.items()),
            hint="Expected "
            + ", ".join(f"{name} {value.type}" for name, value in given.items())
            + ".",
        )
