"""Rebuild a spec with some of the specs in it changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from dnnbridge.specs.spec import Spec

S = TypeVar("S", bound=Spec)


def specs_in(spec: Spec) -> list[Spec]:
    """Return a spec and all specs in its fields, the innermost first.

    Example:
        >>> from dnnbridge import SGD
        >>> [type(each).__name__ for each in specs_in(SGD(0.1))]
        ['ConstantSchedule', 'SGD']
    """
    found: list[Spec] = []

    def keep(inner: Spec) -> Spec:
        found.append(inner)
        return inner

    rewritten(spec, keep)
    return found


def rewritten(spec: Spec, function: Callable[[Spec], Spec]) -> Spec:
    """Return a spec with `function` applied to all inner specs and then to itself.

    Inner specs are those in fields, and in tuples and dictionaries in fields. A spec that does not
    change stays the same object. An object used in several places is rewritten once and stays one
    object.

    Example:
        >>> from dnnbridge import SGD, ConstantSchedule, Scaled
        >>> def halved(spec):
        ...     return spec.replace(value=spec.value / 2) if hasattr(spec, "value") else spec
        >>> rewritten(SGD(Scaled(0.5, 3.0)), halved) == SGD(Scaled(0.25, 3.0))
        True
    """
    known: dict[int, Spec] = {}

    def visit(value: Any) -> Any:
        if isinstance(value, Spec):
            if id(value) not in known:
                known[id(value)] = function(_with_fields(value, visit))
            return known[id(value)]
        if isinstance(value, tuple):
            made = tuple(map(visit, value))
            return value if _same(value, made) else made
        if isinstance(value, dict):
            items = {key: visit(item) for key, item in value.items()}
            return value if _same(tuple(value.values()), tuple(items.values())) else items
        return value

    made: Spec = visit(spec)
    return made


def apart(spec: S) -> S:
    """Return an equal spec in which no object is used in two places, as when read from JSON.

    Example:
        >>> from dnnbridge import LSTM, PReLU
        >>> slope = PReLU()
        >>> layer = apart(LSTM(4, slope, slope))
        >>> layer == LSTM(4, slope, slope), layer.activation is layer.recurrent_activation
        (True, False)
    """
    made = object.__new__(type(spec))
    made.__dict__.update(spec.__dict__)
    for field in dataclasses.fields(spec):  # type: ignore[arg-type]
        value = getattr(spec, field.name)
        if (own := _apart(value)) is not value:
            made.__dict__[field.name] = own
    return made


def _apart(value: Any) -> Any:
    if isinstance(value, Spec):
        return apart(value)
    if type(value) in (tuple, list):
        return type(value)(map(_apart, value))
    if isinstance(value, dict):
        return {key: _apart(item) for key, item in value.items()}
    return value


def _with_fields(spec: Spec, visit: Callable[[Any], Any]) -> Spec:
    names = [field.name for field in dataclasses.fields(spec)]  # type: ignore[arg-type]
    made = {name: visit(getattr(spec, name)) for name in names}
    changed = {name: value for name, value in made.items() if value is not getattr(spec, name)}
    return spec.replace(**changed) if changed else spec


def _same(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    return all(a is b for a, b in zip(before, after, strict=True))
