"""Operations that move elements without changing them."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Dim, Op, TensorType, Value, broadcast
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.ops.rule import Rule, unbroadcast


@dataclass(frozen=True)
class Reshape(Op):
    """Same elements in C order under a new shape; the batch axis stays the batch axis

    With `batch`, the number of examples of every batch is known: the first axis of the operand or
    of the result is the batch, and that of the other has this size.
    """

    rounds = False
    moves = True

    shape: tuple[Dim, ...]
    batch: int | None = None

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if self.batch is not None:
            known = Reshape(_known(self.shape, self.batch))
            return known.infer(x.with_shape(_known(x.shape, self.batch))).with_shape(self.shape)
        made = x.with_shape(self.shape)
        batch = [i for i, dim in enumerate(x.shape) if dim is None]
        if batch != [i for i, dim in enumerate(self.shape) if dim is None] or batch not in (
            [],
            [0],
        ):
            raise ShapeError(
                "the batch must stay the first axis",
                got=f"({shape_text(x.shape)}) to ({shape_text(self.shape)})",
                hint="Reshape the other axes; move axes with ops.transpose.",
            )
        if x.size() != made.size():
            raise ShapeError(
                "the number of elements changes",
                got=f"({shape_text(x.shape)}) to ({shape_text(self.shape)})",
                hint="Give a shape with the same number of elements per example.",
            )
        return made


@dataclass(frozen=True)
class Transpose(Op):
    """Axes in another order: axis i of the result is axis permutation[i] of the operand"""

    rounds = False
    moves = True

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
class Reverse(Op):
    """Elements in the opposite order along `axes`, which are not negative; not the batch"""

    rounds = False
    moves = True

    axes: tuple[int, ...]

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if any(x.shape[axis] is None for axis in self.axes):
            raise ShapeError(
                "the batch axis cannot be reversed",
                got=f"axes {self.axes} of shape ({shape_text(x.shape)})",
                hint="Name other axes.",
            )
        return x


@dataclass(frozen=True)
class Concat(Op):
    """Operands one after another along an axis"""

    rounds = False
    moves = True

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
        for type in types:
            require_dtype(self, type, types[0].dtype)
        shapes[0].insert(self.axis, sum(size for size in sizes if size is not None))
        return types[0].with_shape(tuple(shapes[0]))


@dataclass(frozen=True)
class Pad(Op):
    """Elements of one value added before and after each axis; `pairs` has the counts"""

    rounds = False
    moves = True

    pairs: tuple[tuple[int, int], ...]
    value: float = 0.0

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        fits = len(self.pairs) == x.rank and all(min(pair) >= 0 for pair in self.pairs)
        if not fits or any(
            dim is None and any(pair) for dim, pair in zip(x.shape, self.pairs, strict=True)
        ):
            raise ShapeError(
                "Pad takes a pair of counts per axis, none for the batch",
                got=f"{self.pairs} for shape ({shape_text(x.shape)})",
                hint="Give (0, 0) for the axes to leave alone.",
            )
        padded = zip(x.shape, self.pairs, strict=True)
        return x.with_shape(
            tuple(None if d is None else before + d + after for d, (before, after) in padded)
        )


@dataclass(frozen=True)
class Slice(Op):
    """A block of elements: `sizes[i]` of them from `starts[i]` on; the batch is kept whole"""

    rounds = False
    moves = True

    starts: tuple[int, ...]
    sizes: tuple[Dim, ...]

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        fits = len(self.starts) == len(self.sizes) == x.rank
        if not fits or not all(map(_within, x.shape, self.starts, self.sizes)):
            raise ShapeError(
                "the block is not within the value",
                got=f"starts {self.starts}, sizes ({shape_text(self.sizes)}) of shape "
                f"({shape_text(x.shape)})",
                hint="Start at 0 or more, take at least 1, and keep the batch whole (0, None).",
            )
        return x.with_shape(self.sizes)


def _within(dim: Dim, start: int, size: Dim) -> bool:
    if dim is None or size is None:
        return dim is size and start == 0
    return 0 <= start < start + size <= dim


@dataclass(frozen=True)
class BroadcastTo(Op):
    """The elements repeated to a wider shape by NumPy's rule; the batch stays the batch"""

    rounds = False
    moves = True

    shape: tuple[Dim, ...]

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        if broadcast(x.shape, self.shape) != self.shape or (None in self.shape) != (
            None in x.shape
        ):
            raise ShapeError(
                "the value does not broadcast to the shape",
                got=f"({shape_text(x.shape)}) to ({shape_text(self.shape)})",
                hint="Only axes of size 1 are repeated; the batch axis is there before and after.",
            )
        return x.with_shape(self.shape)


def concat(values: Sequence[Value], axis: int = -1) -> Value:
    first = values[0]
    return first.builder.add(Concat(normal_axes(first, axis)[0]), *values)


def with_batch(x: Value) -> Value:
    """Make the first axis the batch; its size must be that of every batch."""
    return x.builder.add(Reshape((None, *x.shape[1:]), x.shape[0]), x)


def with_size(x: Value, size: int) -> Value:
    """Give the batch axis its size, which is that of every batch."""
    return x.builder.add(Reshape((size, *x.shape[1:]), size), x)


def reshape(x: Value, newshape: tuple[Dim, ...]) -> Value:
    return x.builder.add(Reshape(newshape), x)


def transpose(x: Value, axes: tuple[int, ...]) -> Value:
    return x.builder.add(Transpose(axes), x)


def reverse(x: Value, axes: int | tuple[int, ...]) -> Value:
    return x.builder.add(Reverse(normal_axes(x, axes)), x)


def pad(x: Value, pad_width: tuple[tuple[int, int], ...], constant_values: float = 0.0) -> Value:
    return x.builder.add(Pad(pad_width, constant_values), x)


def slice(inputs: Value, start_indices: tuple[int, ...], shape: tuple[Dim, ...]) -> Value:
    return inputs.builder.add(Slice(start_indices, shape), inputs)


def broadcast_to(x: Value, shape: tuple[Dim, ...]) -> Value:
    return x.builder.add(BroadcastTo(shape), x)


def _known(shape: tuple[Dim, ...], batch: int) -> tuple[Dim, ...]:
    return tuple(batch if dim is None else dim for dim in shape)


def _concat_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, ...]:
    ends = np.cumsum([x.shape[op.axis] for x in xs])[:-1]
    return tuple(np.split(dy, ends, op.axis))


def _reshape(op: Reshape, x: Array) -> Array:
    return x.reshape([-1 if size is None else size for size in op.shape])


def _pad_vjp(op: Pad, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    sizes = zip(op.pairs, xs[0].shape, strict=True)
    return (dy[tuple(builtins.slice(before, before + size) for (before, _), size in sizes)],)


def _block(op: Slice) -> tuple[builtins.slice, ...]:
    sizes = zip(op.starts, op.sizes, strict=True)
    return tuple(builtins.slice(s, None if size is None else s + size) for s, size in sizes)


def _slice_vjp(op: Slice, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    cotangent = np.zeros(xs[0].shape)
    cotangent[_block(op)] = dy
    return (cotangent,)


def _broadcast_to(op: BroadcastTo, x: Array) -> Array:
    shape = tuple(x.shape[0] if size is None else size for size in op.shape)
    return np.broadcast_to(x, shape)


RULES: dict[type[Op], Rule] = {
    Concat: Rule(lambda op, *xs: np.concatenate(xs, op.axis), _concat_vjp),
    Reshape: Rule(_reshape, lambda op, xs, y, dy: (dy.reshape(xs[0].shape),)),
    Transpose: Rule(
        lambda op, x: x.transpose(op.permutation),
        lambda op, xs, y, dy: (dy.transpose(np.argsort(op.permutation)),),
    ),
    BroadcastTo: Rule(_broadcast_to, lambda op, xs, y, dy: (unbroadcast(dy, xs[0].shape),)),
    Pad: Rule(lambda op, x: np.pad(x, op.pairs, constant_values=op.value), _pad_vjp),
    Reverse: Rule(lambda op, x: np.flip(x, op.axes), lambda op, xs, y, dy: (np.flip(dy, op.axes),)),
    Slice: Rule(lambda op, x: x[_block(op)], _slice_vjp),
}
