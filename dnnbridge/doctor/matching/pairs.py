"""`pairs_of`: which layer of one model is which layer of another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dnnbridge.doctor.matching.stations import Station
from dnnbridge.errors import DataError
from dnnbridge.layers import Activation


class Pair(NamedTuple):
    """A layer, or the activation within one, of each model; one of them may be missing.

    Attributes:
        a: of the first model.
        b: of the second.
        activation: whether it is about activations; that of a layer with weights may be within it.
    """

    a: Station | None
    b: Station | None
    activation: bool = False


class Item(NamedTuple):
    """A layer without weights, or the activation within a layer."""

    station: Station
    kind: str
    activation: bool


def pairs_of(a: Sequence[Station], b: Sequence[Station]) -> list[Pair]:
    """Return the layers of two models in pairs.

    Layers with weights must be of the same classes in the same order. Between two of them the
    others are matched by their class; an activation may be a layer, or the argument of one.

    Raises:
        DataError: the layers with weights differ.
    """
    parts = _parts(a), _parts(b)
    if len(parts[0]) != len(parts[1]):
        counts = [len(each) - 1 for each in parts]
        raise other_weights(f"{counts[0]} here and {counts[1]} layers with weights")
    made: list[Pair] = []
    for (first, mine), (second, theirs) in zip(*parts, strict=True):
        if first is not None and second is not None:
            if type(first.layer) is not type(second.layer):
                raise other_weights(f"{_said(first)} here and {_said(second)} there")
            made.append(Pair(first, second))
        made += _matched(mine, theirs)
    return made


def other_weights(got: str) -> DataError:
    """Return the error of two models that are not of one network."""
    return DataError(
        "the models must have the same weights",
        where="b",
        got=got,
        hint="Give two trainings of one model.",
    )


def _said(station: Station) -> str:
    return f"{type(station.layer).__name__} {station.path!r}"


def _parts(stations: Sequence[Station]) -> list[tuple[Station | None, list[Item]]]:
    """Return each layer with weights, and what follows it; first what comes before all."""
    made: list[tuple[Station | None, list[Item]]] = [(None, [])]
    for each in stations:
        if each.weights:
            made.append((each, []))
        if each.activation is not None:
            made[-1][1].append(Item(each, type(each.activation).__name__, True))
        elif isinstance(each.layer, Activation):
            made[-1][1].append(Item(each, type(each.layer.activation).__name__, True))
        elif not each.weights:
            made[-1][1].append(Item(each, type(each.layer).__name__, False))
    return made


def _matched(a: list[Item], b: list[Item]) -> Iterator[Pair]:
    """Yield pairs of one kind in their order, then activations of other kinds, then the rest."""
    left = list(b)
    alone: list[Item] = []
    for item in a:
        found = next((each for each in left if each[1:] == item[1:]), None)
        if found is None:
            alone.append(item)
            continue
        left.remove(found)
        yield Pair(item.station, found.station, item.activation)
    for item in alone:
        other = next((each for each in left if each.activation and item.activation), None)
        if other is not None:
            left.remove(other)
        yield Pair(item.station, other.station if other else None, item.activation)
    yield from (Pair(None, each.station, each.activation) for each in left)
