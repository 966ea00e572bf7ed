"""`layouts_of`: how the numbers of one model are placed where those of another one are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.doctor.matching.pairs import Pair
from dnnbridge.doctor.matching.stations import Shape

Convert = Callable[[Array], Array]


class Layout(NamedTuple):
    """How an array of the second model is placed in that of the first.

    Attributes:
        here: makes the array of the first model.
        there: makes the array of the second.
        places: for features in another order, the place in the second of each of the first.
    """

    here: Convert
    there: Convert
    places: Array | None = None


def _same(array: Array) -> Array:
    return array


SAME = Layout(_same, _same)

LAST = Layout(lambda a: np.moveaxis(a, 1, -1), lambda a: np.moveaxis(a, -1, 1))
"""The first model has its channels last, the second has them first."""

FIRST = Layout(LAST.there, LAST.here)

ONE_BIAS = Layout(lambda a: a.sum(0), lambda a: np.stack([a, np.zeros_like(a)]))
"""The first model has one bias, the second has two that are added."""

EACH_BIAS = Layout(lambda a: a.mean(0), lambda a: np.stack([a, a]))
"""The gradient of each of two biases is that of the one."""


def moved(here: Shape | None, there: Shape | None) -> Layout | None:
    """Return the layout of two shapes that differ in the place of the channels alone."""
    if here is None or there is None or len(here) < 3 or len(here) != len(there):
        return None
    if (here[0], here[-1], *here[1:-1]) == there:
        return LAST
    return FIRST if (here[0], *here[2:], here[1]) == there else None


def placed(places: Array) -> Layout:
    """Return the layout of features in another order, along the last axis."""
    back = np.argsort(places)
    return Layout(lambda a: a[..., places], lambda a: a[..., back], places)


def flattened(layout: Layout, read: Shape) -> Layout:
    """Return the layout of the features of a `Flatten`, from that of what it reads."""
    sizes = [size or 1 for size in read[1:]]
    here = np.arange(int(np.prod(sizes))).reshape(1, *sizes)
    there = layout.there(here).reshape(-1)
    return placed(np.argsort(there))


def layouts_of(
    pairs: Sequence[Pair], inputs: Mapping[str, Layout]
) -> tuple[dict[str, Layout], dict[str, Layout]]:
    """Return the layout of each result and of each array of weights, by names of the first model.

    Args:
        pairs: the layers, in order.
        inputs: the layouts of the inputs.
    """
    results, weights = dict(inputs), dict[str, Layout]()
    for pair in pairs:
        if pair.a is None or (pair.activation and pair.a.path in results):
            continue
        read = [results.get(name, SAME) for name in pair.a.inputs]
        results[pair.a.path] = _result(pair, read)
        for name in pair.a.weights:
            weights[name] = _weight(name, pair, read)
    return results, weights


def _result(pair: Pair, read: Sequence[Layout]) -> Layout:
    a, b = pair.a, pair.b
    assert a is not None
    first = next((each for each in read if each is not SAME), SAME)
    if first is SAME:
        return SAME
    if first.places is not None:  # features in another order stay so until weights mix them
        return SAME if _mixes(pair) else first
    shape, there = a.shape, b.shape if b is not None else None
    if shape is not None and len(shape) == 2 and a.read and a.read[0] is not None:
        count = int(np.prod([size or 1 for size in a.read[0][1:]]))
        return flattened(first, a.read[0]) if shape[1] == count and not a.weights else SAME
    if there is None:
        return first
    return SAME if moved(shape, there) is None else first


def _mixes(pair: Pair) -> bool:
    """Whether a layer has a matrix: its results have an order of their own."""
    return pair.a is not None and any(name.endswith("kernel") for name in pair.a.weights)


def _weight(name: str, pair: Pair, read: Sequence[Layout]) -> Layout:
    """Return the layout of an array: rows of a kernel, or numbers of features, may be moved."""
    places = read[0].places if read else None
    if places is None:
        return SAME
    if not name.endswith("kernel"):
        return SAME if _mixes(pair) else placed(places)
    back = np.argsort(places)
    return Layout(lambda a: a[places], lambda a: a[back])
