"""Operations over an axis: sums, means, maxima, softmax, argmax, one-hot."""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text


@dataclass(frozen=True)
class AbstractReduction(Op):
    """Combine the elements along `axes`, which are not negative."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        kept = [1 if i in self.axes else dim for i, dim in enumerate(x.shape)]
        if self.keepdims:
            return TensorType(tuple(kept))
        return TensorType(tuple(d for i, d in enumerate(x.shape) if i not in self.axes))


class ReduceSum(AbstractReduction):
    """Sum"""


class ReduceMean(AbstractReduction):
    """Mean"""


class ReduceMax(AbstractReduction):
    """Maximum; equal maxima share the gradient evenly"""

    rounds = False
    kinked = True


@dataclass(frozen=True)
class AbstractAlongAxis(Op):
    """float -> float of the same shape, one distribution along `axis`."""

    axis: int

    def infer(self, *types: TensorType) -> TensorType:
        require_dtype(self, types[0], "float32")
        return types[0]


class Softmax(AbstractAlongAxis):
    """exp(x) / Σ exp(x), without overflow"""


class LogSoftmax(AbstractAlongAxis):
    """x - log Σ exp(x), without overflow"""


@dataclass(frozen=True)
class ArgMax(Op):
    """Index of the largest element, the first one of several"""

    rounds = False

    axis: int

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        shape = tuple(dim for i, dim in enumerate(x.shape) if i != self.axis)
        return TensorType(shape, "int32")


@dataclass(frozen=True)
class OneHot(Op):
    """int -> float with a new last axis: 1 at the index, 0 elsewhere; outside of depth all 0"""

    rounds = False

    depth: int

    def infer(self, *types: TensorType) -> TensorType:
        require_dtype(self, types[0], "int32")
        return TensorType((*types[0].shape, self.depth))


def reduce_sum(x: Value, axes: int | tuple[int, ...], keepdims: bool = False) -> Value:
    return _reduce(ReduceSum, x, axes, keepdims)


def reduce_mean(x: Value, axes: int | tuple[int, ...], keepdims: bool = False) -> Value:
    return _reduce(ReduceMean, x, axes, keepdims)


def reduce_max(x: Value, axes: int | tuple[int, ...], keepdims: bool = False) -> Value:
    return _reduce(ReduceMax, x, axes, keepdims)


def _reduce(
    op: type[AbstractReduction], x: Value, axes: int | tuple[int, ...], keepdims: bool
) -> Value:
    """Record a reduction; over no axes it is the value itself."""
    given = normal_axes(x, axes)
    return x.builder.add(op(given, keepdims), x) if given else x


def softmax(x: Value, axis: int = -1) -> Value:
    return x.builder.add(Softmax(normal_axes(x, axis)[0]), x)


def log_softmax(x: Value, axis: int = -1) -> Value:
    return x.builder.add(LogSoftmax(normal_axes(x, axis)[0]), x)


def argmax(x: Value, axis: int = -1) -> Value:
    return x.builder.add(ArgMax(normal_axes(x, axis)[0]), x)


def one_hot(x: Value, num_classes: int) -> Value:
    return x.builder.add(OneHot(num_classes), x)


def normal_axes(x: Value, axes: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes counted from the front, in order, or raise."""
    given = (axes,) if isinstance(axes, int) else axes
    if any(not -x.rank <= axis < x.rank for axis in given):
        raise ShapeError(
            "axis out of range",
            where=x.builder.path,
            got=f"axis {axes} of a value of shape ({shape_text(x.shape)})",
            hint=f"Use {-x.rank} to {x.rank - 1}.",
        )
    return tuple(sorted({axis % x.rank for axis in given}))
