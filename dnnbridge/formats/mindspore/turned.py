"""Tensors whose batch is not the first axis for a while, such as (3, batch, heads, time, size)."""

from __future__ import annotations

from typing import Any, NamedTuple

from dnnbridge import layers


class Turned(NamedTuple):
    """A tensor whose batch stands at another axis than the first.

    Attributes:
        symbol: the tensor here, whose batch is moved to the front.
        batch: the axis of the batch in MindSpore.
    """

    symbol: Any
    batch: int


def whole(symbol: Any) -> Turned:
    return symbol if isinstance(symbol, Turned) else Turned(symbol, 0)


def _of(turned: Turned) -> Any:
    return turned.symbol if turned.batch == 0 else turned


def permuted(symbol: Any, order: tuple[int, ...]) -> Any:
    """Return a tensor with its axes in another order."""
    given = whole(symbol)
    axes = [given.batch, *(axis for axis in range(len(order)) if axis != given.batch)]
    wanted = [given.batch, *(axis for axis in order if axis != given.batch)]
    places = tuple(axes.index(axis) for axis in wanted)
    same = places == tuple(range(len(order)))
    made = given.symbol if same else layers.Permute(places[1:])(given.symbol)
    return _of(Turned(made, order.index(given.batch)))


def item(given: Turned, rank: int, key: Any) -> Any:
    """Return a part of a tensor; None if the key is not made of numbers and ranges."""
    items = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in items:
        place = items.index(Ellipsis)
        items[place : place + 1] = [slice(None)] * (rank - len(items) + 1)
    items += [slice(None)] * (rank - len(items))
    if not all(type(each) in (int, slice) for each in items) or items[given.batch] != slice(None):
        return None
    others = [each for axis, each in enumerate(items) if axis != given.batch]
    removed = sum(isinstance(each, int) for each in items[: given.batch])
    made = layers.Slice((slice(None), *others))(given.symbol)
    return _of(Turned(made, given.batch - removed))


def parts(given: Turned, rank: int, results: Any, axis: int, keeps: bool) -> Any:
    """Return what a tensor is cut into along an axis, which is kept or removed."""
    made, start = [], 0
    for result in results:
        stop = start + (result.shape[axis] if keeps else 1)
        index: Any = slice(start, stop) if keeps else start
        made.append(item(given, rank, (*(slice(None),) * axis, index)))
        start = stop
    return None if None in made else tuple(made)
