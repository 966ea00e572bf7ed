"""The arrays, random inputs and host scalars that specs declare in their equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dnnbridge.emit.sharing import Owners, check_shared
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Builder, TensorType, Value

if TYPE_CHECKING:
    from dnnbridge.base.randomness import AbstractDistribution
    from dnnbridge.initializers import AbstractInitializer
    from dnnbridge.schedules import AbstractSchedule
    from dnnbridge.weights.constraints import AbstractConstraint
    from dnnbridge.weights.regularizers import AbstractRegularizer

MASK = "batch:mask"
"""Feed with one number per example: 1 for a real example, 0 for padding of the batch."""

NORMALIZER = "batch:normalizer"
"""Scalar feed: 1 / Σ mask, the divisor of a mean over a batch."""


@dataclass(frozen=True)
class StateArray:
    """An array that lives between steps.

    Attributes:
        name: unique: `layer/kernel`, or `layer/kernel:slot` for an optimizer's array.
        shape: its sizes.
        initializer: its initial values.
        trainable: whether the optimizer moves it; a layer updates a buffer instead.
        carried: whether it is a state of the examples of a batch, carried to the next batch.
        regularizer: its penalty in the loss, if any.
        constraint: the set of allowed values after an update, if any.
    """

    name: str
    shape: tuple[int, ...]
    initializer: AbstractInitializer
    trainable: bool = True
    regularizer: AbstractRegularizer | None = None
    constraint: AbstractConstraint | None = None
    carried: bool = False

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape)


@dataclass(frozen=True)
class RandomInput:
    """An array that the runtime draws again at every step."""

    name: str
    type: TensorType
    distribution: AbstractDistribution


@dataclass(frozen=True)
class BatchMask:
    """Which examples of a batch are real: 1 or 0 per example, and 1 / Σ of them."""

    mask: Value
    normalizer: Value

    def sum(self, x: Value, builder: Builder) -> Value:
        """Return the sum of x over the real examples."""
        from dnnbridge import ops

        mask = builder.local(self.mask)
        if x.rank > 1:
            mask = ops.reshape(mask, (mask.shape[0], *(1 for _ in x.shape[1:])))
        return ops.reduce_sum(x * mask, 0)

    def spread(self, x: Value, builder: Builder) -> Value:
        """Return the number x for each real example, and 0 for the others."""
        return x * builder.local(self.mask)

    def size(self, builder: Builder) -> Value:
        """Return the number of real examples."""
        from dnnbridge import ops

        return ops.reduce_sum(builder.local(self.mask), 0)


@dataclass
class Declarations:
    """The declarations of the specs of a graph, in order, as values of its outermost builder.

    Attributes:
        root: the outermost builder.
        batch: of the examples; None in a prediction.
        batch_size: of every batch, if an input of the model says it.
        arrays: weights and buffers, by name.
        values: what layers read of them: the inputs of the graph, or what `rewriting` made of them.
        reads: the inputs of the graph that read arrays, with their names.
        owners: who declared each array.
        randoms: random inputs, by name.
        schedules: of numbers that depend on the step, by name.
        scalars: the inputs of these numbers.
        masks: the mask of each value of any builder that has one.
        frozen: whether a buffer with this name stays unchanged.
        moves: whether an optimizer moves an array.
        rewriting: what is made of weights before a training step, by their names.
        rewritten: the new values of buffers that this gave, by name.
    """

    root: Builder
    batch: BatchMask | None = None
    batch_size: int | None = None
    arrays: dict[str, StateArray] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    owners: dict[str, Owners] = field(default_factory=dict)
    randoms: dict[str, RandomInput] = field(default_factory=dict)
    schedules: dict[str, AbstractSchedule] = field(default_factory=dict)
    scalars: dict[str, Value] = field(default_factory=dict)
    masks: dict[Value, Value] = field(default_factory=dict)
    frozen: Callable[[str], bool] = lambda name: False
    moves: Callable[[StateArray], bool] = lambda array: True
    reads: dict[Value, str] = field(default_factory=dict)
    rewriting: dict[str, Callable[[StateArray, Value], Value]] = field(default_factory=dict)
    rewritten: dict[str, Value] = field(default_factory=dict)

    @property
    def of_layers(self) -> dict[str, StateArray]:
        """Weights and buffers by name, without the states that are carried between batches."""
        return {name: array for name, array in self.arrays.items() if not array.carried}

    def name_of(self, value: Value) -> str | None:
        """Return the name of the array that layers read as this value; None if there is none."""
        return next((name for name, known in self.values.items() if known is value), None)

    def weights(self, builder: Builder) -> list[tuple[StateArray, Value]]:
        """Return all trainable arrays, and their values in a builder."""
        return [
            (array, builder.local(self.values[name]))
            for name, array in self.arrays.items()
            if array.trainable
        ]

    def state(self, array: StateArray, path: str, owners: Owners) -> Value:
        """Declare a weight or buffer for the layer at a path; again for a layer called again."""
        known = self.arrays.setdefault(array.name, array)
        if known is array:
            self.owners[array.name] = owners
            value = self.values[array.name] = self.root.input(array.name, array.type)
            self.reads[value] = array.name
            if array.name in self.rewriting:
                self.values[array.name] = self.rewriting[array.name](array, value)
        check_shared(path, known, self.owners[array.name], array, owners)
        return self.values[array.name]

    def scalar(self, full: str, schedule: AbstractSchedule, path: str) -> Value:
        """Declare a number that a schedule gives at each step."""
        if self.schedules.setdefault(full, schedule) != schedule:
            name = full.rpartition("/")[2]
            raise ShapeError("two schedules have the same name", where=path, got=name)
        if full not in self.scalars:
            self.scalars[full] = self.root.input(f"schedule:{full}", TensorType(()))
        return self.scalars[full]

    def random(self, full: str, type: TensorType, distribution: AbstractDistribution) -> Value:
        """Declare an array that is drawn at each step; a name that is taken gets a number."""
        name, number = full, 0
        while name in self.randoms:
            number += 1
            name = f"{full}_{number}"
        self.randoms[name] = RandomInput(name, type, distribution)
        return self.root.input(f"random:{name}", type)
