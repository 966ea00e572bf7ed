"""Maximum and mean of a window that moves, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.ops.rule import Rule
from dnnbridge.ops.windows import Padding, Pairs, cropped, offsets, pad_pairs, padded, places


@dataclass(frozen=True)
class AbstractPool(Op):
    """(batch, *spatial, channels) -> one number per place of the window, per channel."""

    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Pairs

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        if max(map(max, self.padding), default=0) and not all(
            max(pair) < size for pair, size in zip(self.padding, self.window, strict=False)
        ):
            raise ShapeError(
                "a window would lie in the padding alone",
                got=f"padding {self.padding}, window {self.window}",
                hint="Pad by less than the window.",
            )
        ones = (1,) * len(self.window)
        made = places(
            "a pooling", x.shape[1:-1], self.window, self.strides, self.padding, dilation=ones
        )
        return x.with_shape((x.shape[0], *made, x.shape[-1]))

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return output.size() * math.prod(self.window)


@dataclass(frozen=True)
class MaxPool(AbstractPool):
    """Maximum of the window; the padding counts as -∞

    If several elements are the maximum, the first in C order gets the gradient.
    """

    rounds = False
    kinked = True


@dataclass(frozen=True)
class AvgPool(AbstractPool):
    """Mean of the window, without the padding unless `count_include_pad`"""

    count_include_pad: bool = False

    def divisors(self, sizes: Sequence[int]) -> Array:
        """Return the number of elements that count at every place, (1, *places, 1)."""
        made = np.ones((1,) * (len(self.window) + 2))
        for axis, (n, k, s, (before, after)) in enumerate(
            zip(sizes, self.window, self.strides, self.padding, strict=True), 1
        ):
            first = np.arange((n + before + after - k) // s + 1) * s - before
            inside = np.minimum(first + k, n) - np.maximum(first, 0)
            counts = np.full(len(first), k) if self.count_include_pad else inside
            shape = [-1 if i == axis else 1 for i in range(made.ndim)]
            made = made * counts.reshape(shape)
        return np.asarray(made, np.float64)


def max_pool(
    x: Value, window: Sequence[int], strides: Sequence[int], padding: Padding = "valid"
) -> Value:
    return x.builder.add(
        MaxPool(tuple(window), tuple(strides), _pairs(x, window, strides, padding)), x
    )


def avg_pool(
    x: Value,
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding = "valid",
    count_include_pad: bool = False,
) -> Value:
    pairs = _pairs(x, window, strides, padding)
    return x.builder.add(AvgPool(tuple(window), tuple(strides), pairs, count_include_pad), x)


def _pairs(x: Value, window: Sequence[int], strides: Sequence[int], padding: Padding) -> Pairs:
    if x.rank != len(window) + 2:
        return ((0, 0),) * len(window)  # the operation refuses the rank
    return pad_pairs(padding, x.shape[1:-1], window, strides, (1,) * len(window))


def _places(op: MaxPool | AvgPool, x: Array) -> tuple[int, ...]:
    ones = (1,) * len(op.window)
    return places("", x.shape[1:-1], op.window, op.strides, op.padding, ones)


def _max(op: MaxPool, x: Array) -> Array:
    given, made = padded(x, op.padding, -np.inf), _places(op, x)
    y = np.full((len(x), *made, x.shape[-1]), -np.inf)
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        np.maximum(y, given[where], out=y)
    return y


def _max_vjp(op: MaxPool, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    given, made = padded(xs[0], op.padding, -np.inf), y.shape[1:-1]
    dx, open_ = np.zeros(given.shape), np.ones(y.shape, bool)
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        first = open_ & (given[where] == y)
        dx[where] += np.where(first, dy, 0.0)
        open_ &= ~first
    return (cropped(dx, op.padding),)


def _avg(op: AvgPool, x: Array) -> Array:
    given, made = padded(x, op.padding), _places(op, x)
    total = np.zeros((len(x), *made, x.shape[-1]))
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        total += given[where]
    return np.asarray(total / op.divisors(x.shape[1:-1]))


def _avg_vjp(op: AvgPool, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array]:
    (x,) = xs
    dx, made = np.zeros(padded(x, op.padding).shape), y.shape[1:-1]
    share = dy / op.divisors(x.shape[1:-1])
    for _, where in offsets(op.window, op.strides, (1,) * len(made), made):
        dx[where] += share
    return (cropped(dx, op.padding),)


RULES: dict[type[Op], Rule] = {
    AvgPool: Rule(_avg, _avg_vjp),
    MaxPool: Rule(_max, _max_vjp),
}
