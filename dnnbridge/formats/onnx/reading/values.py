"""Values of an ONNX graph: arrays that are known, and tensors of the model here."""

from __future__ import annotations

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

    def sizes(self) -> tuple[int | None, ...]:
        """Return whole numbers; None stands for the size of the batch."""
        made: list[int | None] = []
        for pair in zip(self.array.ravel().tolist(), self.other.ravel().tolist(), strict=True):
            if pair == MARKERS:
                made.append(None)
            elif pair[0] == pair[1]:
                made.append(int(pair[0]))
            else:
                raise CannotReadError("a size that is computed from the size of the batch")
        return tuple(made)


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


@dataclass(frozen=True, eq=False)
class Above:
    """Where a tensor is greater than a number: half of an activation that is written with `Where`.

    Attributes:
        tensor: the tensor.
        bound: the number.
    """

    tensor: Tensor
    bound: float


Value = Known | Tensor | Above | None
"""None: absent, or made by a node that cannot be read."""


def known(array: Array, name: str = "") -> Known:
    """Return an array that does not depend on the batch."""
    return Known(array, array, name)


def shape_with_markers(x: Tensor) -> Known:
    """Return the shape of a tensor, with a marker for the batch."""
    first, second = (
        np.array([marker if n is None else n for n in x.whole], np.int64) for marker in MARKERS
    )
    return Known(first, second)
