"""Turn the value given to a field into a spec of its family, or suggest what was meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any, TypeVar

from dnnbridge.base.messages import close_match, what
from dnnbridge.errors import SpecError
from dnnbridge.specs.spec import Spec, a_kind_of, family_of, kinds, names_of

S = TypeVar("S", bound=Spec)


def named(base: type[S], make: Callable[[type[S]], S] | None = None) -> Callable[[Any], S]:
    """Return a function that accepts a `base`, or the name of a class, made with its defaults.

    The name is the class name in snake case, or the class attribute `alias`; the class attribute
    `synonyms` has other names. Case and "_" do not matter: "rmsprop" is RMSprop.

    Args:
        base: the base class of the family.
        make: makes a spec of the named class; by default calls the class.
    """

    def resolve(value: Any) -> S:
        if isinstance(value, base):
            return value
        if isinstance(value, str):
            found = find_named(base, value)
            if found is not None:
                return make(found) if make else found()
        raise wrong_kind(base, value, by_name=bool(_makeable(base)))

    return resolve


def find_named(base: type[S], name: str) -> type[S] | None:
    """Return the class of a family that a name stands for, or None."""
    return _by_name(base).get(_plain(name))


def find_kind(base: type[S], name: str, given: Collection[str]) -> type[S] | None:
    """Return the class of a family with a name, or None; all arguments it needs are given."""
    found = _same_name(base, name)
    if found is None:
        return None
    needed = {field.name for field in dataclasses.fields(found) if _is_required(field)}  # type: ignore[arg-type]
    return found if needed <= set(given) else None


def makeable_names(*bases: type[Spec]) -> set[str]:
    """Return the names of the classes of families that need no arguments."""
    return {name for base in bases for cls in _makeable(base) for name in names_of(cls)}


def named_or_none(base: type[S]) -> Callable[[Any], S | None]:
    """Return what `named` returns, for fields that may be None."""
    resolve = named(base)
    return lambda value: None if value is None else resolve(value)


def instance_of(base: type[S]) -> Callable[[Any], S]:
    """Return a check that takes specs of a family only."""

    def check(value: Any) -> S:
        if not isinstance(value, base):
            raise wrong_kind(base, value)
        return value

    return check


def wrong_kind(base: type[Spec], value: Any, by_name: bool = False, wanted: str = "") -> SpecError:
    """Return the error for a value that is not a `base`, with a suggestion.

    Args:
        base: the base class of the family.
        value: the given value.
        by_name: whether a name is accepted.
        wanted: what is accepted, if more than a `base` and its name.
    """
    wanted = wanted or a_kind_of(base) + (" or its name" if by_name else "")
    return SpecError(f"expected {wanted}", got=what(value), hint=_meant(base, value, by_name))


def _meant(base: type[Spec], value: Any, by_name: bool) -> str:
    if isinstance(value, type) and issubclass(value, base):
        return f"This is the class; make an instance: {_call_of(value)}."
    if isinstance(value, str):
        if by_name:
            return close_match(value, makeable_names(base))
        found = _same_name(base, value)
        return f"Write {_call_of(found)}." if found else _examples(base)
    if isinstance(value, Spec):
        return f"That is {_kind_word(type(value))}. {_examples(base)}"
    kind = value if isinstance(value, type) else type(value)
    package = kind.__module__.partition(".")[0]
    if package in {"builtins", "numpy", "__main__"}:
        return _examples(base)
    found = _same_name(base, kind.__name__)
    hint = f"It is from {package}" + (f"; write {_call_of(found)}" if found else "")
    if family_of(base) == "optimizer" and not isinstance(value, type):
        return hint + ", or make a spec of it: db.optimizers.from_native(optimizer)."
    return hint + ". docs/guide/migrating.md lists what replaces each class."


def _kind_word(cls: type[Spec]) -> str:
    bases = [b for b in cls.__mro__ if b is not Spec and Spec in b.__bases__]
    return a_kind_of(bases[0]) if bases and bases[0] is not cls else "no such thing"


def _examples(base: type[Spec]) -> str:
    return f"For example: {', '.join(_call_of(cls) for cls in islice(kinds(base), 3))}."


def _call_of(cls: type[Spec]) -> str:
    """Write how a spec of a class is made."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return f"db.{cls.__name__}({'…' if any(map(_is_required, fields)) else ''})"


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _makeable(base: type[S]) -> list[type[S]]:
    """Return the classes of a family that need no arguments."""
    return [c for c in kinds(base) if not any(map(_is_required, dataclasses.fields(c)))]  # type: ignore[arg-type]


def _by_name(base: type[S]) -> dict[str, type[S]]:
    return {_plain(name): cls for cls in _makeable(base) for name in names_of(cls)}


def _same_name(base: type[S], name: str) -> type[S] | None:
    known = {_plain(each): cls for cls in kinds(base) for each in (cls.__name__, *names_of(cls))}
    return known.get(_plain(name))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
