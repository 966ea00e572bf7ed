"""The error for an unknown `kind` in JSON, which names only kinds that the field takes."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.specs.json_types import KINDS
from dnnbridge.specs.spec import UNKNOWN_KIND, Spec, a_kind_of, kind_of, kinds, names_of

FEW = 5
"""The most kinds that a message lists."""


class Field(NamedTuple):
    """Where in JSON a spec stands.

    Attributes:
        base: the class whose field it is in; without a name, the class that is read.
        name: the name of the field.
    """

    base: type[Spec]
    name: str = ""


def unknown_kind(kind: Any, where: str, field: tuple[type[Spec], str]) -> SpecError:
    """Return the error for a kind that is not registered.

    Example:
        >>> from dnnbridge import Experiment
        >>> print(unknown_kind("loss.Diced", "loss", Field(Experiment, "loss")).hint[:48])
        Did you mean 'loss.Dice'? The field takes a loss
    """
    if not isinstance(kind, str):
        hint = 'Write a text, such as "kind": "layer.Dense".'
        return SpecError("unknown kind", where=where, got=shorten(kind), hint=hint)
    bases = list(_bases_of(Field(*field)))
    known = {kind_of(cls): cls for base in bases for cls in kinds(base)}
    hint = _meant(kind, known) + _takes(bases, known)
    hint += " If another package defines the kind, import that package first."
    return SpecError("unknown kind", where=where, got=shorten(kind), hint=hint)


def _meant(kind: str, known: Mapping[str, type[Spec]]) -> str:
    """Say which kind is probably meant, or of which family a kind of this name is."""
    spelt = {name: each for each, cls in known.items() for name in _names(cls)}
    # Without the family, which all kinds of a field share.
    near = difflib.get_close_matches(_plain(kind), spelt, 1)
    if near:
        return f"Did you mean {spelt[near[0]]!r}? "
    others = [cls for cls in kinds(Spec) if _plain(kind) in _names(cls)]
    bases = [base for cls in others[:1] for base in cls.__mro__ if Spec in base.__bases__]
    return f"{kind_of(others[0])} is {a_kind_of(bases[0])}. " if bases else ""


def _takes(bases: Collection[type[Spec]], known: Collection[str]) -> str:
    said = " or ".join(dict.fromkeys(map(a_kind_of, bases)))
    if len(known) <= FEW:
        return f"Known: {', '.join(sorted(known))}."
    whole = Spec in bases
    what = "There are" if whole else f"The field takes {said}: there are"
    return f"{what} {len(known)} kinds, which `dnnbridge schema` lists."


def _bases_of(field: Field) -> Iterator[type[Spec]]:
    """Yield the bases of the kinds that a field takes; `Spec` if it does not say."""
    from dnnbridge.specs.field_types import infos_of
    from dnnbridge.specs.json_schema import bases_by_name, form_of

    if not field.name:
        yield field.base
    elif field.name in infos_of(field.base):
        known = bases_by_name()
        found = dict.fromkeys(_placeholders(form_of(field.base, field.name)))
        yield from [known[name] for name in found if name in known] or [Spec]
    else:
        yield Spec


def _placeholders(form: Any) -> Iterator[str]:
    """Yield the names of the bases in a JSON form."""
    if isinstance(form, Mapping):
        if isinstance(form.get(KINDS), str):
            yield form[KINDS]
        for each in form.values():
            yield from _placeholders(each)
    elif isinstance(form, (list, tuple)):
        for each in form:
            yield from _placeholders(each)


def _names(cls: type[Spec]) -> set[str]:
    return set(map(_plain, (cls.__name__, *names_of(cls))))


def _plain(kind: str) -> str:
    return kind.rpartition(".")[2].replace("_", "").lower()


UNKNOWN_KIND.append(unknown_kind)
