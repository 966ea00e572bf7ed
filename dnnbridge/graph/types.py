"""Shapes and dtypes of symbolic values. One dimension may be the batch, unknown until run time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dnnbridge.errors import ShapeError

DType = Literal["float32", "int32", "bool", "float16", "bfloat16", "float64"]
"""Specs write `float32`, which the reference computes in float64. Only the precision of an
experiment puts other types of real numbers into a graph: `dnnbridge.program.precision`."""

DataType = Literal["float32", "int32", "bool"]
"""Types of data that specs name."""

LOWER: tuple[DType, ...] = ("float16", "bfloat16")
"""Types of real numbers with fewer digits than float32."""

REAL: tuple[DType, ...] = (*LOWER, "float32", "float64")
"""Types of real numbers."""

Dim = int | None
"""Size of an axis; `None` is the batch, which is the same number throughout a graph."""

BATCH: Dim = None

AXES = 32
"""Most axes of an array in NumPy 1, the batch included."""


@dataclass(frozen=True)
class TensorType:
    """Shape and dtype of a value.

    Attributes:
        shape: size of each axis.
        dtype: of the elements.
        text: whether the value is an input of texts. Each text is a digest, int32 numbers along the
            last axis. A result of an operation is never a text.

    Example:
        >>> str(TensorType((BATCH, 10)))
        'float32[batch, 10]'
        >>> str(TensorType((BATCH, 10, 4), "int32", text=True))
        'string[batch, 10]'
    """

    shape: tuple[Dim, ...]
    dtype: DType = "float32"
    text: bool = False

    def __post_init__(self) -> None:
        if len(self.shape) > AXES:
            raise ShapeError(
                f"an array has at most {AXES} axes",
                got=f"{len(self.shape)} axes",
                hint="Combine some with Reshape.",
            )

    def __str__(self) -> str:
        return f"{self.kind}[{shape_text(self.data_shape)}]"

    @property
    def kind(self) -> DType | Literal["string"]:
        """The dtype of the data that a user gives."""
        return "string" if self.text else self.dtype

    @property
    def data_shape(self) -> tuple[Dim, ...]:
        """The shape of the data that a user gives."""
        return self.shape[:-1] if self.text else self.shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, shape: tuple[Dim, ...]) -> TensorType:
        return TensorType(shape, self.dtype)

    def with_dtype(self, dtype: DType) -> TensorType:
        return TensorType(self.shape, dtype)

    def concrete(self, batch: int) -> tuple[int, ...]:
        """Return the shape for a batch of the given size."""
        return tuple(batch if dim is None else dim for dim in self.shape)

    def size(self, batch: int = 1) -> int:
        """Return the number of elements for a batch of the given size."""
        return math.prod(self.concrete(batch))


def shape_text(shape: tuple[Dim, ...]) -> str:
    """Write a shape with the word batch: `batch, 10`."""
    return ", ".join("batch" if dim is None else str(dim) for dim in shape)


def broadcast(*shapes: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Return the shape that NumPy's broadcasting rule gives.

    Raises:
        ShapeError: two sizes differ and neither is 1.
    """
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_common(dims, shapes) for dims in zip(*padded, strict=True))


def _common(dims: tuple[Dim, ...], shapes: tuple[tuple[Dim, ...], ...]) -> Dim:
    wide = {dim for dim in dims if dim != 1}
    if len(wide) > 1:
        raise ShapeError(
            "shapes do not broadcast",
            got=" and ".join(f"({shape_text(shape)})" for shape in shapes),
            hint="Make the sizes equal, or 1 where one value is used along the axis.",
        )
    return wide.pop() if wide else 1
