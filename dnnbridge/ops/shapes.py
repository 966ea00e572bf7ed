"""Operations that move elements without changing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Dim, Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.reductions import normal_axes


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


@dataclass(frozen=True)
class Concat(Op):
    """Operands one after another along an axis"""

    axis: int

    def infer(self, *types: TensorType) -> TensorType:
        shapes = [list(type.shape) for type in types]
        sizes = [shape.pop(self.axis) for shape in shapes]
        if None in sizes or any(shape != shapes[0] for shape in shapes):
            raise ShapeError(
                "only the sizes along the axis may differ",
                got=" and ".join(f"({shape_text(type.shape)})" for type in types)
                + f" along axis {self.axis}",
                hint="Make the other sizes equal.",
            )
        require_dtype(self, types[0], "float32")
        shapes[0].insert(self.axis, sum(size for size in sizes if size is not None))
        return TensorType(tuple(shapes[0]))


def concat(values: Sequence[Value], axis: int = -1) -> Value:
    first = values[0]
    return first.builder.add(Concat(normal_axes(first, axis)[0]), *values)


def reshape(x: Value, shape: tuple[Dim, ...]) -> Value:
    return x.builder.add(Reshape(shape), x)


def transpose(x: Value, permutation: tuple[int, ...]) -> Value:
    return x.builder.add(Transpose(permutation), x)
