"""Decide which calls share arrays: the owners of a path are compared by value, like specs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph.types import shape_text

if TYPE_CHECKING:
    from dnnbridge.emit.declarations import StateArray


@dataclass(frozen=True, eq=False)
class Owner:
    """A call on the way from the model to an array.

    Attributes:
        emitter: the spec that is called.
        path: the path of the call; the caller's path if the call has no name.
        named: whether the call has a name.
        caller: identifies the emission that makes the call.
    """

    emitter: object
    path: str
    named: bool
    caller: object


Owners = tuple[Owner, ...]
"""All calls on the way to an array, from the outside in."""


def check_shared(
    path: str, known: StateArray, known_owners: Owners, array: StateArray, owners: Owners
) -> None:
    """Raise unless the layer that declares an array again is the layer that first declared it.

    Owners are compared by value, so a spec read from JSON shares the same arrays as before. Only
    unnamed calls in one emission are compared by object: two equal layers in different places are
    two layers there, and each needs a name.

    Args:
        path: of the layer that declares it now.
        known: the array as it was declared first.
        known_owners: the calls that led to it.
        array: the array as it is declared now.
        owners: the calls that lead to it now.

    Raises:
        SpecError: two layers would have one array, or one layer two arrays of one name.
    """
    word = known.name.rpartition("/")[2]
    shapes = f"({shape_text(known.shape)}) and ({shape_text(array.shape)})"
    if _unnamed_apart(known_owners, owners):
        raise SpecError(
            f"two arrays have the name {word}",
            where=path,
            got=shapes,
            hint="Give each call of a layer a name: scope.call(layer, x, name=…).",
        )
    for place, first, second in _named_by_both(known_owners, owners):
        if not _equal(first, second):
            raise SpecError(
                "two different layers have the same path",
                where=place,
                got=_differing(first, second),
                hint="Give each a different name; calls under one name share weights.",
            )
    if known != array:
        raise SpecError(
            f"two arrays have the name {word}",
            where=path,
            got=shapes,
            hint="A second call of a layer uses the same weights: give it the same number of "
            "features, or make another layer. Arrays of one layer need different names.",
        )


def _unnamed_apart(known: Owners, owners: Owners) -> bool:
    """Return whether the two ways differ first at a call without a name."""
    if not known or not owners:
        return known != owners
    last = known[-1], owners[-1]
    if not all(each.named for each in last) and not _equal(*(each.emitter for each in last)):
        return True
    first, second = ([each for each in way if not each.named] for way in (known, owners))
    return any(a.caller is b.caller and a.emitter is not b.emitter for a in first for b in second)


def _named_by_both(known: Owners, owners: Owners) -> list[tuple[str, object, object]]:
    """Return the named paths that both ways contain, each with its two owners."""
    first, second = ({o.path: o.emitter for o in way if o.named} for way in (known, owners))
    return [(path, first[path], second[path]) for path in first if path in second]


def _equal(first: object, second: object) -> bool:
    return first is second or bool(first == second)


def _differing(first: Any, second: Any) -> str:
    """Describe two layers by their differences."""
    kinds = type(first).__name__, type(second).__name__
    if kinds[0] != kinds[1] or not dataclasses.is_dataclass(first):
        return " and ".join(kinds)
    names = [field.name for field in dataclasses.fields(first)]
    pairs = [(n, getattr(first, n), getattr(second, n)) for n in names]
    told = [f"{n} {shorten(a, 40)} and {shorten(b, 40)}" for n, a, b in pairs if a != b]
    return f"two of {kinds[0]} with {', '.join(told)}"
