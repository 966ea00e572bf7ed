"""The type and default of a spec's field, read from pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from dnnbridge.specs.spec import Spec


def infos_of(cls: type[Spec]) -> Mapping[str, FieldInfo]:
    """Return pydantic's information about each field."""
    found: Mapping[str, FieldInfo] = cls.__pydantic_fields__  # type: ignore[attr-defined]
    return found


@cache
def adapter_of(cls: Any, name: str) -> TypeAdapter[Any]:
    """Return the adapter that checks one field alone."""
    info = infos_of(cls)[name]
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[(annotation, *info.metadata)] if info.metadata else annotation)


@cache
def default_of(cls: Any, name: str) -> Any:
    """Return the default as the field holds it, with names turned into specs; MISSING if none.

    Example:
        >>> from dnnbridge import Dense
        >>> default_of(Dense, "activation")
        Linear()
    """
    info = infos_of(cls)[name]
    if info.is_required():
        return MISSING
    return adapter_of(cls, name).validate_python(info.get_default(call_default_factory=True))
