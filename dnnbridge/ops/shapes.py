"""Operations that move elements without changing them."""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Dim, Op, TensorType, Value
from dnnbridge.graph.types import shape_text


@dataclass(frozen=True)
class Reshape(Op):
    """Same elements in C order under a new shape; the batch axis stays the batch axis"""

    shape: tuple[Dim, ...]

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        made = x.with_shape(self.shape)
        batch = [i for i, dim in enumerate(x.shape) if dim is None]
        if batch != [i for i, dim in enumerate(self.shape) if dim is None] or batch not in (
            [],
            [0],
        ):
            raise ShapeError(
                "the batch stays the first axis",
                got=f"({shape_text(x.shape)}) to ({shape_text(self.shape)})",
                hint="Reshape the other axes; move axes with ops.transpose.",
            )
        if x.size() != made.size():
            raise ShapeError(
                "the number of elements changes",
                got=f"({shape_text(x.shape)}) to ({shape_text(self.shape)})",
                hint="Give a shape with as many elements, the batch apart.",
            )
        return made


@dataclass(frozen=True)
class Transpose(Op):
    """Axes in another order: axis i of the result is axis permutation[i] of the operand"""

    permutation: tuple[int, ...]

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if sorted(self.permutation) != list(range(x.rank)):
            raise ShapeError(
                "not a permutation of the axes",
                got=f"{self.permutation} for shape ({shape_text(x.shape)})",
                hint=f"Name each of 0 to {x.rank - 1} once.",
            )
        return x.with_shape(tuple(x.shape[i] for i in self.permutation))


def reshape(x: Value, shape: tuple[Dim, ...]) -> Value:
    return x.builder.add(Reshape(shape), x)


def transpose(x: Value, permutation: tuple[int, ...]) -> Value:
    return x.builder.add(Transpose(permutation), x)
