"""`matched`: which rows of two traces are about the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dnnbridge.formats.traces.places import STAGES, TracePlace
from dnnbridge.formats.traces.reading import TraceFile


class Pair(NamedTuple):
    """Rows of two files about the same.

    Attributes:
        place: as the first file names it.
        a: row of the first file.
        b: row of the second.
        ordered: whether both have their numbers in one order; else only norms are compared.
    """

    place: TracePlace
    a: int
    b: int
    ordered: bool


class Matched(NamedTuple):
    """Which rows are compared.

    Attributes:
        pairs: in the order of a step.
        notes: what was matched in its order, and what was left out.
    """

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def matched(a: TraceFile, b: TraceFile) -> Matched:
    """Match rows by stage and name; the others of a stage by order and size."""
    pairs, notes = list[Pair](), list[str]()
    for stage in STAGES:
        ours = [i for i, place in enumerate(a.places) if place.stage == stage]
        theirs = {place.where: i for i, place in enumerate(b.places) if place.stage == stage}
        named = {i: theirs[a.places[i].where] for i in ours if a.places[i].where in theirs}
        rest = [i for i in ours if i not in named]
        others = [i for i in theirs.values() if i not in named.values()]
        in_order, failed = _in_order(a, b, rest, others)
        if in_order:
            first = next(iter(in_order))
            example = f"{a.places[first].where} is {b.places[in_order[first]].where}"
            notes.append(f"{stage}: {len(in_order)} names were matched in their order: {example}.")
        if failed:
            some = ", ".join(failed[:3])
            notes.append(f"{stage}: {len(failed)} names are in one file only, such as {some}.")
        both = named | in_order
        pairs += [_pair(a, b, i, both[i]) for i in sorted(both)]
    return Matched(tuple(pairs), tuple(notes))


def _in_order(
    a: TraceFile, b: TraceFile, ours: Sequence[int], theirs: Sequence[int]
) -> tuple[dict[int, int], list[str]]:
    """Pair what is left of a stage in order, as far as sizes are equal."""
    sizes = [math.prod(a.places[i].shape) for i in ours]
    if sizes == [math.prod(b.places[i].shape) for i in theirs]:
        return dict(zip(ours, theirs, strict=True)), []
    made, left = dict[int, int](), list(theirs)
    failed = []
    for i, size in zip(ours, sizes, strict=True):
        found = next((j for j in left if math.prod(b.places[j].shape) == size), None)
        if found is None:
            failed.append(a.places[i].where)
        else:
            made[i] = found
            left = left[left.index(found) + 1 :]
    used = set(made.values())
    return made, failed + [b.places[j].where for j in theirs if j not in used]


def _pair(a: TraceFile, b: TraceFile, i: int, j: int) -> Pair:
    here, there = a.places[i], b.places[j]
    return Pair(here, i, j, _trimmed(here.shape) == _trimmed(there.shape))


def _trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without axes of 1, which do not change the order of numbers."""
    return tuple(size for size in shape if size != 1)
