"""Values of an ONNX graph: arrays that are known, and tensors of the model here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph.types import DType

MARKERS = (999_983, 999_979)
"""Two numbers that stand for the size of the batch: primes, so that no product is another size."""


class CannotReadError(Exception):
    """A node has no counterpart; the text says what it lacks."""


@dataclass(frozen=True, eq=False)
class Known:
    """An array that does not depend on the inputs, or only on the size of the batch.

    Attributes:
        array: its numbers, with the first marker as the size of the batch.
        other: the same with the second marker.
        name: name of the initializer; "" for an array that was computed.
    """

    array: Array
    other: Array
    name: str = ""

    @property
    def fixed(self) -> Array:
        """The numbers, or an error if they depend on the size of the batch."""
        if not np.array_equal(self.array, self.other, equal_nan=self.array.dtype.kind == "f"):
            raise CannotReadError("numbers that depend on the size of the batch")
        return self.array

    def sizes(self) -> tuple[int, ...]:
        """Return whole numbers, with the first marker as the size of the batch."""
        first, second = self.array.ravel().tolist(), self.other.ravel().tolist()
        for a, b in zip(first, second, strict=True):
            if a != b and (a % MARKERS[0] or a // MARKERS[0] * MARKERS[1] != b):
                raise CannotReadError("a size that is computed from the size of the batch")
        return tuple(map(int, first))


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the model.

    Attributes:
        symbol: the input or the output of a layer.
        shape: sizes of an example, without the batch.
        dtype: "float32" or "int32".
        batch: the axis of the batch in the file; the symbol has it first, before all others.
    """

    symbol: Any
    shape: tuple[int, ...]
    dtype: DType = "float32"
    batch: int = 0

    @property
    def rank(self) -> int:
        """Number of axes with the batch."""
        return len(self.shape) + 1

    @property
    def whole(self) -> list[int | None]:
        """The shape in the file, with None for the batch."""
        return [*self.shape[: self.batch], None, *self.shape[self.batch :]]

    def place(self, axis: int) -> int:
        """Return the axis of the symbol for an axis in the file."""
        return 0 if axis == self.batch else axis + (axis < self.batch)

    @property
    def places(self) -> list[tuple[int, ...]]:
        """The axes of the symbol that each axis in the file consists of."""
        return [(self.place(axis),) for axis in range(self.rank)]


@dataclass(frozen=True, eq=False)
class Merged:
    """A tensor whose batch is one axis with its neighbours in the file, such as batch times heads.

    Attributes:
        tensor: the same with these axes apart.
        before: whether the axis before the batch belongs to it.
        after: whether the axis after the batch belongs to it.
    """

    tensor: Tensor
    before: bool
    after: bool

    @property
    def places(self) -> list[tuple[int, ...]]:
        """The axes of the symbol that each axis in the file consists of."""
        axes = [place for (place,) in self.tensor.places]
        first = self.tensor.batch - self.before
        last = self.tensor.batch + self.after + 1
        apart = [(axis,) for axis in axes]
        return [*apart[:first], tuple(axes[first:last]), *apart[last:]]


Value = Known | Tensor | Merged | None
"""None: absent, or made by a node that cannot be read."""


def known(array: Array, name: str = "") -> Known:
    """Return an array that does not depend on the batch."""
    return Known(array, array, name)


def shape_with_markers(x: Tensor | Merged) -> Known:
    """Return the shape of a tensor in the file, with a marker for the batch."""
    shape = (x.tensor if isinstance(x, Merged) else x).shape
    first, second = (
        np.array([math.prod((marker, *shape)[i] for i in axes) for axes in x.places], np.int64)
        for marker in MARKERS
    )
    return Known(first, second)
