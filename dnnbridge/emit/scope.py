"""`Scope`: the argument of `emit`, with which a spec writes its equation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dnnbridge.base.calling import inputs_wrong
from dnnbridge.emit.buffers import AbstractBuffers
from dnnbridge.emit.declarations import Declarations
from dnnbridge.emit.declarations import RandomInput as RandomInput
from dnnbridge.emit.declarations import StateArray as StateArray
from dnnbridge.emit.emitter import Emitter, emitted, refuse_text
from dnnbridge.emit.masks import CallMasks
from dnnbridge.emit.sharing import Owner, Owners
from dnnbridge.errors import ShapeError, SpecError
from dnnbridge.graph import Builder, Dim, TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.specs.limits import CONSTANT

if TYPE_CHECKING:
    from dnnbridge.base.randomness import AbstractDistribution
    from dnnbridge.initializers import AbstractInitializer
    from dnnbridge.schedules import AbstractSchedule
    from dnnbridge.weights.constraints import AbstractConstraint
    from dnnbridge.weights.regularizers import AbstractRegularizer


Step = Callable[
    ["Scope", tuple[Value, ...], tuple[Value, ...]], tuple[Sequence[Value], Sequence[Value]]
]
"""A step of a loop: (scope, carries, slices) -> (next carries, results of the step)."""

Rewriting = Callable[["Scope", Value], Value]
"""Replaces weights before a step: (scope, weights) -> new weights."""


class Scope(AbstractBuffers):
    """Where an equation is written: a path, a graph being built, and a way to declare arrays.

    Attributes:
        path: names of the surrounding layers, joined with "/".
        training: whether the graph is for training, as opposed to evaluation and prediction.
        sampling: whether noise and dropout are drawn: in training, and in a prediction with
            sampling.
        updates: new values of buffers, by full name.
        losses: scalars that are added to the loss of the batch.
        terms: the kind of each loss: "examples" for means over examples, or "weights".
    """

    def __init__(
        self,
        builder: Builder,
        declarations: Declarations,
        training: bool,
        path: str = "",
        owners: Owners = (),
        sampling: bool | None = None,
        outer: Scope | None = None,
        emission: object = None,
    ) -> None:
        self.builder, self.training, self.path = builder, training, path
        self.sampling = training if sampling is None else sampling
        self.updates: dict[str, Value] = {}
        self.losses: list[Value] = []
        self.terms: set[str] = set()
        self._declared, self._owners, self._outer = declarations, owners, outer
        self._emission = emission or self

    def parameter(
        self,
        name: str,
        shape: Sequence[Dim],
        initializer: AbstractInitializer | str,
        regularizer: AbstractRegularizer | None = None,
        constraint: AbstractConstraint | None = None,
    ) -> Value:
        """Declare a trainable float32 array `path/name` and return it.

        The initializer may be the name of one, such as "glorot_uniform".
        A spec that is called again under the same path gets the same array: shared weights. Two
        unequal specs under one path are an error, and so are two calls without a name.
        """
        array = self._array(name, shape, initializer)
        return self._state(replace(array, regularizer=regularizer, constraint=constraint))

    def rewrite(self, name: str, rule: Rewriting) -> None:
        """Have weights that a layer inside will declare replaced before each training step.

        The step, its gradient and the optimizer start from the new value; frozen weights stay.

        Args:
            name: path of the weights below this one.
            rule: (scope, weights) -> new weights. It is written once, before all layers; it
                declares and updates its own buffers in this scope. Unless `scope.training`, it
                returns the weights.
        """
        full = f"{self.path}/{name}" if self.path else name

        def write(array: StateArray, value: Value) -> Value:
            known, training = self._declared, self.training and self._declared.moves(array)
            outer = Scope(known.root, known, training, self.path, self._owners)
            made = rule(outer, value)
            known.rewritten.update(outer.updates)
            return made

        self._declared.rewriting.setdefault(full, write)

    def declares(self, name: str) -> bool:
        """Return whether an array below this path has been declared."""
        return (f"{self.path}/{name}" if self.path else name) in self._declared.arrays

    def declared_weights(self) -> list[tuple[StateArray, Value]]:
        """Return all trainable arrays that have been declared so far, and their values here."""
        return self._declared.weights(self.builder)

    def scalar(self, name: str, schedule: AbstractSchedule) -> Value:
        """Declare a number that depends only on the step, such as a changing rate.

        It is computed on the host in float64 and fed to the step, so it needs no new compilation.
        Evaluation and prediction use the value of the next step.
        """
        from dnnbridge.schedules.listening import listens

        self.require(
            not listens(schedule),
            "a schedule of a layer cannot depend on metrics",
            got=type(schedule).__name__,
            hint="Use such a schedule in the optimizer only.",
        )
        return self.builder.local(self._declared.scalar(self._full(name), schedule, self.path))

    def random(
        self, name: str, shape: tuple[Dim, ...], distribution: AbstractDistribution
    ) -> Value:
        """Declare a float32 array that is drawn at every step, the same on every backend.

        Each call of a spec draws separately, even if the calls share weights.
        """
        drawn = self._declared.random(self._full(name), TensorType(shape), distribution)
        return self.builder.local(drawn)

    def add_loss(self, value: Value) -> None:
        """Add a term to the loss of the batch: a scalar, or the mean of a number per example.

        A prediction ignores it.
        """
        if self._declared.batch is None:
            return
        self.require(
            value.rank == 0 or (value.rank == 1 and value.shape[0] is None),
            "add_loss needs a scalar or one number per example",
            got=str(value.type),
        )
        self.losses.append(self.batch_mean(value) if value.rank else value)

    def constant(self, array: Any) -> Value:
        """Return an array of numbers as part of the graph, rounded once by each backend."""
        return self.builder.constant(array)

    def constant_of(self, shape: Sequence[int], make: Callable[[], Any]) -> Value:
        """Return an array that grows with sizes of a spec; the shape is checked before it is made.

        Args:
            shape: its shape.
            make: returns the array.
        """
        self.require(
            math.prod(shape) <= CONSTANT,
            "an array of constant numbers is too large",
            got=f"shape ({shape_text(tuple(shape))})",
            hint=f"At most {CONSTANT:,} numbers are held.",
        )
        return self.constant(make())

    def mask(self, x: Value) -> Value | None:
        """Return the mask of a value: 1 for real steps and 0 for padding; None if all are real.

        A mask is float32 of shape (batch, time). `Embedding(mask_zero=True)` and `Masking` make
        it, and layers with `passes_mask` give it to their result, as in Keras.
        """
        found = self._declared.masks.get(x)
        return None if found is None else self.builder.local(found)

    def set_mask(self, x: Value, mask: Value | None) -> None:
        """Give a value a mask, which `mask` then returns for it."""
        if mask is not None:
            self._declared.masks[x] = mask

    def call(self, emitter: Emitter, *values: Value, name: str = "") -> Value:
        """Record `emitter.emit(scope, *values)` as a call under `path/name`; return its value."""
        made = self.call_all(emitter, *values, name=name)
        if len(made) != 1:
            where = self._full(name) if name else self.path
            hint = "Use a Model, in which each output has a name."
            raise ShapeError("expected one value", where=where, got=str(len(made)), hint=hint)
        return made[0]

    def call_all(
        self, emitter: Emitter, *values: Value, name: str = "", **lists: Sequence[Value]
    ) -> tuple[Value, ...]:
        """Record a call like `call`, for a spec that emits several values or takes lists."""
        path = self._full(name) if name else self.path
        if wrong := inputs_wrong(emitter.emit, len(values)):
            kind = type(emitter).__name__
            raise ShapeError(f"{kind} {wrong}", where=path, got=f"{len(values)}")
        refuse_text(emitter, path, values)
        owners = (*self._owners, Owner(emitter, path, bool(name), self._emission))
        inner: list[Scope] = []
        masks = CallMasks(emitter, self._declared.masks)

        def write(body: Builder, inputs: tuple[Value, ...]) -> Sequence[Value]:
            scope = self._inner(body, path, owners)
            masks.enter(values, inputs)
            inner.append(scope)
            outputs = emitted(emitter, scope, inputs, {k: len(v) for k, v in lists.items()})
            return [*outputs, *masks.leave(body, outputs), *scope.extras()]

        inputs = (*values, *(value for given in lists.values() for value in given))
        results = self.builder.call(emitter, path, inputs, write)
        end = len(results) - len(inner[0].extras())
        self.adopt(inner[0], results[end:])
        outputs = tuple(results[: masks.count])
        masks.give(self, values, outputs, results[masks.count : end])
        return outputs

    def extras(self) -> list[Value]:
        """Return the further results of a body: updates of buffers, then losses."""
        return [*self.updates.values(), *self.losses]

    def adopt(self, inner: Scope, extras: Sequence[Value]) -> None:
        """Take over the extras of a body's scope, as values of this scope."""
        count = len(inner.updates)
        self.updates |= dict(zip(inner.updates, extras[:count], strict=True))
        self.losses += extras[count:]

    def scan(
        self, step: Step, carries: Sequence[Value], sequences: Sequence[Value], length: int
    ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
        """Record a loop over time.

        Args:
            step: (scope, carries, slices) -> (next carries, results of the step).
            carries: the carries of the first step.
            sequences: values whose first axis is time; a step sees one slice of each.
            length: the number of steps.

        Returns:
            The carries after the last step, and the results of the steps, stacked along a new
            first axis. A step must not draw or update buffers; draw before the loop.
        """
        count = len(carries)
        self.require(length >= 1, "a loop needs at least one step", got=str(length))

        def write(body: Builder, given: tuple[Value, ...]) -> Sequence[Value]:
            scope = self._inner(body, self.path, self._owners, self._emission)
            drawn = len(self._declared.randoms)
            following, made = step(scope, given[:count], given[count:])
            if scope.extras() or len(self._declared.randoms) > drawn:
                raise SpecError(
                    "a step of a loop must not draw, update buffers or add to the loss",
                    where=self.path,
                    got=", ".join([*scope.updates, *list(self._declared.randoms)[drawn:]]),
                    hint="Put such a layer outside of the loop.",
                )
            return [*following, *made]

        made = self.builder.scan(carries, sequences, length, write)
        return tuple(made[:count]), tuple(made[count:])

    def require(self, holds: bool, what: str, *, got: str = "", hint: str = "") -> None:
        """Raise a ShapeError at this path unless the condition holds."""
        if not holds:
            raise ShapeError(what, where=self.path, got=got, hint=hint)

    def known(self, dim: Dim, what: str) -> int:
        """Return a size, or raise if it is the batch."""
        if dim is None:
            raise ShapeError(
                f"{what} would depend on the batch size",
                where=self.path,
                got="the batch axis",
                hint="Put the features in another axis than the first.",
            )
        return dim

    def _inner(self, body: Builder, path: str, owners: Owners, emission: object = None) -> Scope:
        known, drawn = self._declared, self.sampling
        return Scope(body, known, self.training, path, owners, drawn, outer=self, emission=emission)

    def _array(
        self, name: str, shape: Sequence[Dim], initializer: AbstractInitializer | str
    ) -> StateArray:
        from dnnbridge.initializers import as_initializer

        sizes, path = tuple(self.known(dim, name) for dim in shape), self._full(name)
        try:
            return StateArray(path, sizes, as_initializer(initializer))
        except SpecError as error:
            raise error.at(path) from None

    def _state(self, array: StateArray) -> Value:
        return self.builder.local(self._declared.state(array, self.path, self._owners))

    def _full(self, name: str) -> str:
        if not name.replace("_", "").isalnum():
            raise SpecError(
                "a name must have only letters, digits and _", where=self.path, got=repr(name)
            )
        return f"{self.path}/{name}" if self.path else name
