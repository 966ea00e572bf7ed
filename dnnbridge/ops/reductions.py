"""Operations over an axis: sums, means, maxima, softmax, argmax, one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.rule import Rule


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


def _spread(op: Any, cotangent: Array, shape: tuple[int, ...]) -> Array:
    """Repeat a cotangent along the axes that a reduction removed."""
    kept = cotangent if op.keepdims else np.expand_dims(cotangent, op.axes)
    return np.broadcast_to(kept, shape)


def _sum_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    return (_spread(op, dy, xs[0].shape),)


def _mean_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    return (_spread(op, dy, xs[0].shape) * (y.size / xs[0].size),)


def _max_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    largest = (x == _spread(op, y, x.shape)).astype(float)
    return (_spread(op, dy, x.shape) * largest / largest.sum(op.axes, keepdims=True),)


def _log_softmax(op: Any, x: Array) -> Array:
    shifted = x - x.max(op.axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(op.axis, keepdims=True)))


def _log_softmax_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    return (dy - np.exp(y) * dy.sum(op.axis, keepdims=True),)


def _softmax(op: Any, x: Array) -> Array:
    e = np.exp(x - x.max(op.axis, keepdims=True))
    return np.asarray(e / e.sum(op.axis, keepdims=True))


def _softmax_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    return (y * (dy - (dy * y).sum(op.axis, keepdims=True)),)


def _none(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[None]:
    return (None,)


RULES: dict[type[Op], Rule] = {
    ReduceSum: Rule(lambda op, x: x.sum(op.axes, keepdims=op.keepdims), _sum_vjp),
    ReduceMean: Rule(lambda op, x: x.mean(op.axes, keepdims=op.keepdims), _mean_vjp),
    ReduceMax: Rule(lambda op, x: x.max(op.axes, keepdims=op.keepdims), _max_vjp),
    LogSoftmax: Rule(_log_softmax, _log_softmax_vjp),
    Softmax: Rule(_softmax, _softmax_vjp),
    ArgMax: Rule(lambda op, x: x.argmax(op.axis).astype(np.int32), _none),
    OneHot: Rule(lambda op, x: (x[..., None] == np.arange(op.depth)).astype(float), _none),
}
