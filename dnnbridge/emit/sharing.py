"""Which calls share arrays: the owners of a path are compared by value, as specs are."""

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
        emitter: what is called.
        path: where; that of its caller if the call has no name.
        named: whether the call has a name.
        caller: stands for the one emission that makes the call.
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
    """Raise unless an array that has been declared before is now declared by the same layer.

    Owners are compared by value, so a spec that was read from JSON shares what it shared before.
    Only calls without a name that one emission makes are told apart by object: two layers that
    differ in nothing but their place are still two there, and each needs a name.

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
            f"two arrays are called {word}",
            where=path,
            got=shapes,
            hint="Give each call of a layer a name: scope.call(layer, x, name=…).",
        )
    for place, first, second in _named_by_both(known_owners, owners):
        if not _equal(first, second):
            raise SpecError(
                "two different layers have one path",
                where=place,
                got=_differing(first, second),
                hint="Give each a name of its own; calls under one name share weights.",
            )
    if known != array:
        raise SpecError(
            f"two arrays are called {word}",
            where=path,
            got=shapes,
            hint="A layer that is called again keeps its weights: call it on as many features, "
            "or make another layer. Arrays of one layer need different names.",
        )


def _unnamed_apart(known: Owners, owners: Owners) -> bool:
    """Return whether the two ways are apart where a call has no name to tell them by."""
    if not known or not owners:
        return known != owners
    last = known[-1], owners[-1]
    if not all(each.named for each in last) and not _equal(*(each.emitter for each in last)):
        return True
    first, second = ([each for each in way if not each.named] for way in (known, owners))
    return any(a.caller is b.caller and a.emitter is not b.emitter for a in first for b in second)


def _named_by_both(known: Owners, owners: Owners) -> list[tuple[str, object, object]]:
    """Return the paths that both ways name, each with its two owners."""
    first, second = ({o.path: o.emitter for o in way if o.named} for way in (known, owners))
    return [(path, first[path], second[path]) for path in first if path in second]


def _equal(first: object, second: object) -> bool:
    return first is second or bool(first == second)


def _differing(first: Any, second: Any) -> str:
    """Name two layers by what they differ in."""
    kinds = type(first).__name__, type(second).__name__
    if kinds[0] != kinds[1] or not dataclasses.is_dataclass(first):
        return " and ".join(kinds)
    names = [field.name for field in dataclasses.fields(first)]
    pairs = [(n, getattr(first, n), getattr(second, n)) for n in names]
    told = [f"{n} {shorten(a, 40)} and {shorten(b, 40)}" for n, a, b in pairs if a != b]
    return f"two of {kinds[0]} with {', '.join(told)}"
