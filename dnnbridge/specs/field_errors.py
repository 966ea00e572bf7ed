"""Pydantic's errors as ours: what is wrong, in which field, what was given, what to do."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import Any

import pydantic

from dnnbridge.base.messages import shorten
from dnnbridge.errors import DnnbridgeError, SpecError

_ALTERNATIVE = re.compile(r"(int|float|str|bool|none)$|[a-z-]+\[")
"""What pydantic calls the alternatives of a field, such as "int" and "tuple[int, ...]"."""


def spec_error(
    cls: type[Any], error: pydantic.ValidationError, advice: Mapping[str, str] | None = None
) -> DnnbridgeError:
    """Turn one of pydantic's errors into ours: a misspelt argument if any, else the first.

    Args:
        cls: the class of the spec.
        error: what pydantic raised.
        advice: what to do instead of giving an argument that only frameworks have, by its name.
    """
    found = error.errors(include_url=False)
    detail = next((one for one in found if one["type"].startswith("unexpected")), found[0])
    # Fields that positional arguments fill come first.
    fields = sorted(dataclasses.fields(cls), key=lambda f: f.kw_only is True)
    names = [field.name for field in fields]
    place = list(detail["loc"])
    if place and isinstance(place[0], int) and place[0] < len(names):
        place[0] = names[place[0]]
    parts = (str(part) for part in place if not _ALTERNATIVE.match(str(part)))
    where = ".".join([cls.__name__, *parts])
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, DnnbridgeError):
        return cause.at(where)
    kind, takes = detail["type"], f"{cls.__name__} takes {', '.join(names) or 'no arguments'}."
    if kind == "unexpected_positional_argument" and place[0] in {*names} - {"name"}:
        got = shorten(detail["input"])
        return SpecError("give this argument by name", where=cls.__name__, got=got, hint=takes)
    if kind in {"unexpected_keyword_argument", "unexpected_positional_argument"}:
        near = difflib.get_close_matches(str(place[-1]), names, 1)
        said = (advice or {}).get(str(place[-1]))
        hint = said or (f"Did you mean {near[0]}? " if near else "") + takes
        return SpecError("unknown argument", where=where, got=shorten(detail["input"]), hint=hint)
    if kind in {"missing", "missing_argument"}:
        return SpecError("missing argument", where=where, hint=takes)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    hint = f"See help(dnnbridge.{cls.__name__}) for its arguments."
    if kind == "tuple_type":
        message = "must be a list or a tuple"
        types = {field.name: str(field.type) for field in fields}
        if isinstance(detail["input"], str) and types.get(str(place[0])) == "tuple[str, ...]":
            hint = f"Write [{detail['input']!r}]."
    return SpecError(message, where=where, got=shorten(detail["input"]), hint=hint)
