"""The repr of a spec: the call that makes an equal spec, without default arguments."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from dnnbridge.specs.field_types import adapter_of, default_of, infos_of
from dnnbridge.specs.fields import plain
from dnnbridge.specs.spec import Spec, alias_of

Field = tuple[Any, str]
"""The class of a spec and the name of one of its fields."""

_REFUSED: set[tuple[Field, type, type]] = set()
"""Cache of fields that reject a short form of a type for a class, because errors are slow."""


def call_of(spec: Spec) -> str:
    """Return the Python call that makes an equal spec, with only the non-default arguments.

    A spec in a field is shown as a name or number if the field accepts that for it.

    Example:
        >>> from dnnbridge import SGD, Dense, ReLU
        >>> call_of(SGD(0.1, momentum=0.9)), call_of(Dense(3, ReLU()))
        ('SGD(learning_rate=0.1, momentum=0.9)', "Dense(units=3, activation='relu')")
    """
    cls = type(spec)
    given = (
        f"{name}={_shown(getattr(spec, name), (cls, name), lambda value: value)}"
        for name in differing(spec)
    )
    return f"{cls.__name__}({', '.join(given)})"


def differing(spec: Spec) -> list[str]:
    """Return the fields whose value is not the default; keyword-only fields come last."""
    cls: Any = type(spec)
    fields = sorted(dataclasses.fields(spec), key=lambda f: f.kw_only is True)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    return [n for n in names if not _same(getattr(spec, n), default_of(cls, n))]


def _same(a: Any, b: Any) -> bool:
    try:
        return a is b or (type(a) is type(b) and bool(a == b))
    except ValueError:  # arrays
        return False


def _shown(value: Any, field: Field, around: Callable[[Any], Any]) -> str:
    """Return the text of a value in a field.

    Args:
        value: the value to write.
        field: the field that contains it.
        around: returns the value of the whole field with another value in this place.
    """
    if type(value) in (tuple, list):
        items = ", ".join(
            _shown(item, field, partial(_around_item, value, i, around))
            for i, item in enumerate(value)
        )
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    if type(value) is dict:
        pairs = (f"{key!r}: {_shown(item, field, _refuse)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, Spec) and type(value).__repr__ is Spec.__repr__:
        for short in _shorter(value):
            if _stands_for(short, value, field, around):
                return _shown(short, field, around)
    return _literal(value)


def _around_item(items: Sequence[Any], place: int, around: Callable[[Any], Any], value: Any) -> Any:
    return around((*items[:place], value, *items[place + 1 :]))


def _refuse(value: Any) -> Any:
    """Reject every short form."""
    raise ValueError(value)


def _shorter(spec: Spec) -> Iterator[Any]:
    """Yield possible short forms of a spec: its name, or its only field that is not the default."""
    cls = type(spec)
    if not any(info.is_required() for info in infos_of(cls).values()):
        yield alias_of(cls)
    names = differing(spec)
    if len(names) == 1:
        inner = getattr(spec, names[0])
        if isinstance(inner, Spec):
            yield from _shorter(inner)
        yield inner


def _stands_for(short: Any, spec: Spec, field: Field, around: Callable[[Any], Any]) -> bool:
    key = (field, type(spec), type(short))
    if key in _REFUSED:
        return False
    try:
        return bool(adapter_of(*field).validate_python(around(short)) == around(spec))
    except Exception:  # a custom check may raise anything; then use the long form
        _REFUSED.add(key)
        return False


def _literal(value: Any) -> str:
    value = plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return repr(value)
