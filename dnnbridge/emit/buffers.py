"""`AbstractBuffers`: the part of a scope that declares and updates what layers keep."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dnnbridge.emit.declarations import StateArray
from dnnbridge.emit.over_batch import AbstractOverBatch
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Dim, Value

if TYPE_CHECKING:
    from dnnbridge.emit.scope import Scope
    from dnnbridge.initializers import AbstractInitializer


class AbstractBuffers(AbstractOverBatch):
    """Arrays that no optimizer moves: running statistics, and states carried between batches."""

    training: bool
    updates: dict[str, Value]
    _outer: Scope | None

    def buffer(
        self, name: str, shape: Sequence[Dim], initializer: AbstractInitializer | str
    ) -> Value:
        """Declare a float32 array that is not trained, such as a running mean, and return it.

        If the spec was called before in the same step, this is the value after that call.
        """
        return self._kept(replace(self._array(name, shape, initializer), trainable=False))

    def update(self, name: str, value: Value) -> None:
        """Set the value of a buffer for the next step; only in training."""
        self.require(self.training, "a buffer can be updated only in training", got=name)
        if not self._declared.frozen(self._write(name, value, carried=False)):
            self.updates[self._full(name)] = value

    def frozen(self, name: str) -> bool:
        """Return whether a buffer stays unchanged in training; a layer then reads it as it is."""
        return self._declared.frozen(self._full(name))

    def carried(self, name: str, sizes: Sequence[int]) -> Value:
        """Declare a state (batch, …) that is carried from batch to batch, and return it.

        It starts with zeros. If the spec was called before in the same step, this is the state
        after that call. The model must say how many examples a batch has: `Input(batch_size=…)`.

        Args:
            name: of the state.
            sizes: its sizes, without the batch.
        """
        from dnnbridge import ops
        from dnnbridge.initializers import Zeros

        array = self._array(name, (self._known_batch(), *sizes), Zeros())
        return ops.with_batch(self._kept(replace(array, trainable=False, carried=True)))

    def carry(self, name: str, value: Value) -> None:
        """Set a state for the next batch: in training, evaluation and prediction."""
        from dnnbridge import ops

        known = ops.with_size(value, self._known_batch())
        self.updates[self._write(name, known, carried=True)] = known

    def fix_batch(self, size: int | None) -> None:
        """Say how many examples every batch has; None says nothing."""
        known = self._declared.batch_size
        self.require(
            size in (None, known) or known is None,
            "two inputs have different batch sizes",
            got=f"{known} and {size}",
            hint="Give all inputs the same batch_size, or give it to one of them.",
        )
        self._declared.batch_size = size or known

    @property
    def fixed_batch(self) -> int | None:
        """Number of examples of every batch, if the model has a fixed one."""
        return self._declared.batch_size

    def _known_batch(self) -> int:
        size = self.fixed_batch
        if size is None:
            raise ShapeError(
                "a state that is carried from batch to batch needs a fixed batch size",
                where=self.path,
                got="an input without batch_size",
                hint="Give the model's input one: Input(shape, batch_size=…).",
            )
        return size

    def _write(self, name: str, value: Value, carried: bool) -> str:
        """Return the full name of a buffer that may get this value, or raise."""
        full = self._full(name)
        array = self._declared.arrays.get(full)
        self.require(
            array is not None
            and not array.trainable
            and array.carried == carried
            and array.type == value.type,
            f"{'carry' if carried else 'update'} needs a declared buffer and a value of its type",
            got=f"{name} and {value.type}",
            hint=f"Declare it with scope.{'carried' if carried else 'buffer'} first.",
        )
        return full

    def _kept(self, array: StateArray) -> Value:
        start = self._state(array)
        updated = self._updated(array.name)
        return start if updated is None else self.builder.local(updated)

    def _updated(self, full: str) -> Value | None:
        """Return the new value of a buffer in this step, set here or in an outer scope."""
        if full in self.updates or self._outer is None:
            return self.updates.get(full)
        return self._outer._updated(full)

    @abstractmethod
    def require(self, holds: bool, what: str, *, got: str = "", hint: str = "") -> None:
        """Raise a ShapeError at this path unless the condition holds."""

    @abstractmethod
    def _array(
        self, name: str, shape: Sequence[Dim], initializer: AbstractInitializer | str
    ) -> StateArray: ...

    @abstractmethod
    def _state(self, array: StateArray) -> Value: ...

    @abstractmethod
    def _full(self, name: str) -> str: ...
