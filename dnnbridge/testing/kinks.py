"""Kinks: numbers so close to a kink of a function that float32 rounding decides their side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Node, Op
from dnnbridge.ops.float64 import Environment
from dnnbridge.ops.windows import offsets, padded
from dnnbridge.testing.tolerances import EPSILON

NEAR = 8.0 * EPSILON
"""Distance from a kink within which rounding may decide the side: 9.5e-7, relative to the root
mean square of the compared array. Flips were seen at up to 4.6e-7."""

WINDOW = 1e-2
"""Numbers within this distance, in the same unit, are counted to estimate their density."""

Floats = npt.NDArray[np.float64]


class Crossing(NamedTuple):
    """How to move each number, or pair of numbers, across its kink to the same distance beyond.

    Attributes:
        operand: index of the input of the operation to change.
        places: flat index (C order) of the element to change, per number.
        moves: what to add to that element: twice the signed distance to the kink.
    """

    operand: int
    places: npt.NDArray[np.int64]
    moves: Floats


@dataclass(frozen=True)
class Kink:
    """A number near a kink.

    Attributes:
        path: path of the layer.
        op: name of the operation.
        number: index of the node among the nodes with kinks that a step computes.
        place: flat index (C order) of the number among those that the node compares.
        distance: distance of the number from the kink.
        share: the distance relative to the root mean square of the compared array.
    """

    path: str
    op: str
    number: int
    place: int
    distance: float
    share: float

    def __str__(self) -> str:
        return f"{self.path or 'loss'}, {self.op}, |z| = {self.distance:.1e}"


class KinkWatch:
    """Finds the kinks of a step while the reference computes it, and can flip some of them.

    A number exactly on its kink does not count: the operation's rule decides it, alike on every
    backend. Numbers inside a loop are not watched.

    Attributes:
        near: kinks within `NEAR`, found since `begin`.
        expected: expected number of kinks within `NEAR`, from the count within `WINDOW`.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self, forced: Sequence[Kink] = ()) -> None:
        """Forget the kinks found so far, and flip the given ones in the next step."""
        self.near: list[Kink] = []
        self.expected = 0.0
        self._number = 0
        self._forced: dict[int, list[int]] = {}
        for kink in forced:
            self._forced.setdefault(kink.number, []).append(kink.place)

    def __call__(self, node: Node, known: Environment) -> None:
        find = CROSSINGS.get(type(node.op))
        arguments = [known[value] for value in node.inputs]
        if find is None or any(each.dtype.kind != "f" for each in arguments):
            return
        crossing = find(node.op, *arguments)
        self._note(node, arguments, crossing)
        if places := self._forced.get(self._number):
            value = node.inputs[crossing.operand]
            moved = known[value].copy()
            for place in places:
                moved.reshape(-1)[crossing.places[place]] += crossing.moves[place]
            known[value] = moved
        self._number += 1

    def _note(self, node: Node, arguments: list[Array], crossing: Crossing) -> None:
        gaps = 0.5 * np.abs(crossing.moves)
        scale = max(_rms(each) for each in arguments)
        if not scale:
            return
        shares = gaps / scale
        self.expected += float(np.count_nonzero((shares > 0) & (shares <= WINDOW))) * NEAR / WINDOW
        for place in np.flatnonzero((shares > 0) & (shares <= NEAR)).tolist():
            found = float(gaps[place]), float(shares[place])
            kink = Kink(node.path, type(node.op).__name__, self._number, place, *found)
            self.near.append(kink)


def flips_allowed(expected: float, odds: float = 1e-6) -> int:
    """Return the largest count of near kinks that chance explains.

    The count is a Poisson variable with mean `expected`; a larger count has a probability below
    `odds`. A flip needs a near kink, so this limits the number of flips too.

    Example:
        >>> flips_allowed(0.0), flips_allowed(0.1), flips_allowed(10.0)
        (0, 4, 28)
    """
    term = left = -float(np.expm1(-expected))  # probability of one or more
    term, count = float(np.exp(-expected)), 0
    while left > odds:
        count += 1
        term *= expected / count
        left -= term
    return count


def _rms(x: Array) -> float:
    finite = x[np.isfinite(x)]
    return float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0


def _about_zero(op: Op, x: Array) -> Crossing:
    return Crossing(0, np.arange(x.size), -2.0 * x.reshape(-1))


def _about_ends(op: ops.Clip, x: Array) -> Crossing:
    low, high = 2.0 * (op.low - x), 2.0 * (op.high - x)
    nearer = np.where(np.abs(low) < np.abs(high), low, high)
    return Crossing(0, np.arange(x.size), nearer.reshape(-1))


def _of_two(op: Op, a: Array, b: Array) -> Crossing:
    operand = 0 if a.size >= b.size else 1
    moved, other = (a, b) if operand == 0 else (b, a)
    places = np.arange(moved.size).reshape(moved.shape)
    shape = np.broadcast_shapes(a.shape, b.shape)
    moves = np.broadcast_to(2.0 * (other - moved), shape)
    return Crossing(operand, np.broadcast_to(places, shape).reshape(-1), moves.reshape(-1))


def _of_first_two(rows: Array, places: Array) -> Crossing:
    """Compare the two largest numbers of each column; the move raises the second above the first.

    `rows` has the candidates along its first axis.
    """
    if len(rows) < 2:
        return Crossing(0, np.zeros(0, int), np.zeros(0))
    second, first = np.argsort(rows, axis=0)[-2:]
    column = np.arange(rows.shape[1])
    gaps = rows[first, column] - rows[second, column]
    return Crossing(0, places[second, column], 2.0 * gaps)


def _of_axes(op: ops.ReduceMax, x: Array) -> Crossing:
    axes = tuple(axis % x.ndim for axis in op.axes)
    order = (*axes, *(axis for axis in range(x.ndim) if axis not in axes))
    size = int(np.prod([x.shape[axis] for axis in axes]))
    numbered = np.arange(x.size).reshape(x.shape)
    rows, places = (each.transpose(order).reshape(size, -1) for each in (x, numbered))
    return _of_first_two(rows, places)


def _of_windows(op: ops.MaxPool, x: Array) -> Crossing:
    given = padded(x, op.padding, -np.inf)
    numbered = padded(np.arange(x.size, dtype=float).reshape(x.shape), op.padding).astype(int)
    ones = (1,) * len(op.window)
    sizes = zip(given.shape[1:-1], op.window, op.strides, strict=True)
    made = [(size - window) // stride + 1 for size, window, stride in sizes]
    wheres = [where for _, where in offsets(op.window, op.strides, ones, made)]
    rows, places = (
        np.stack([each[where].reshape(-1) for where in wheres]) for each in (given, numbered)
    )
    return _of_first_two(rows, places)


CROSSINGS: dict[type[Op], Callable[..., Crossing]] = {
    ops.Relu: _about_zero,
    ops.Abs: _about_zero,
    ops.Sign: _about_zero,
    ops.Clip: _about_ends,
    ops.Maximum: _of_two,
    ops.Minimum: _of_two,
    ops.Greater: _of_two,
    ops.Equal: _of_two,
    ops.MaxPool: _of_windows,
    ops.ReduceMax: _of_axes,
}
"""Operations with kinks or jumps, and the functions (op, *inputs) -> `Crossing`."""
