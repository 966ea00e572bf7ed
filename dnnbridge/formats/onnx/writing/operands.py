"""Values of a graph as ONNX has them: constants, and tensors in one or two layouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import TensorType


@dataclass(eq=False)
class Known:
    """Numbers that are known when the file is written: weights, and what follows from them alone.

    Attributes:
        array: the numbers, floats in float64; they are rounded once, when they are written.
        label: name of the initializer, if it is not taken.
    """

    array: Array
    label: str = "constant"

    @property
    def rank(self) -> int:
        return self.array.ndim


@dataclass(eq=False)
class Tensor:
    """A value that is computed when the model runs.

    Convolutions and pools of ONNX have their channels first; equations here have them last. A
    tensor keeps the layout in which it was made, until an operation needs the other.

    Attributes:
        type: dtype, and the shape with channels last.
        last: name of the value with the shape of `type`; None while it has not been made.
        first: name of the value with its channels first.
    """

    type: TensorType
    last: str | None = None
    first: str | None = None

    @property
    def rank(self) -> int:
        return self.type.rank

    @property
    def is_first(self) -> bool:
        """Whether it exists with its channels first only."""
        return self.last is None


Operand = Known | Tensor

Written = list[Operand] | None
"""The results of a call that is one node, or None if its equation must be written."""


def to_first(rank: int) -> tuple[int, ...]:
    """Return the permutation that moves the channels from the end to axis 1."""
    return (0, rank - 1, *range(1, rank - 1))


def to_last(rank: int) -> tuple[int, ...]:
    """Return the permutation that moves the channels from axis 1 to the end."""
    return (0, *range(2, rank), 1)


def axis_first(axis: int, rank: int) -> int:
    """Return where an axis is once the channels are first."""
    return to_first(rank).index(axis)


def number(value: float | int) -> Known:
    """Return a known number."""
    return Known(np.asarray(value, np.int32 if isinstance(value, int) else np.float64))
