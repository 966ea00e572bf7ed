"""What JSON holds for fields whose check pydantic cannot look into.

A form is a JSON Schema, in which `of_kind` and `by_name` stand for what is registered by the time
that the schema of a whole spec is made (`dnnbridge.specs.json_schema`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

Form = Mapping[str, Any]

KINDS, NAMES = "kinds", "names"
"""Keys of forms that stand for the kinds below a base, and for their names."""

LARGEST = float(np.finfo(np.float32).max)
"""What computes is float32: a larger number would be infinite there."""

NULL: Form = {"type": "null"}
NOT_NEGATIVE: Form = {"type": "number", "minimum": 0, "maximum": LARGEST}


class WithinFloat32:
    """Says of a number that it is none that float32 lacks."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(core)
        below = {} if "exclusiveMinimum" in made else {"minimum": -LARGEST}
        return {**below, "maximum": LARGEST, **made}


def of_kind(base: type) -> Form:
    """Return the form of any kind below a base, or of a class itself."""
    return {KINDS: base.__name__}


def by_name(base: type) -> Form:
    """Return the form of the names that stand for kinds with only defaults."""
    return {NAMES: base.__name__}


def one_of(*forms: Form) -> Form:
    """Return what any of these forms fits."""
    return forms[0] if len(forms) == 1 else {"anyOf": list(forms)}


def listed(*forms: Form, least: int = 0) -> Form:
    """Return the form of a list of such items."""
    return {"type": "array", "items": one_of(*forms)} | ({"minItems": least} if least else {})


def of_length(form: Form, length: int) -> Form:
    """Return the form of a list of so many items."""
    return {"type": "array", "items": form, "minItems": length, "maxItems": length}


def words(*known: str) -> Form:
    """Return the form of one of some words."""
    return {"enum": list(known)}


def sizes_form(axes: int, least: int = 1) -> Form:
    """Return the form of one size per axis, or one for all."""
    size = {"type": "integer", "minimum": least}
    return one_of(of_length(size, axes), size)


def pairs_form(axes: int) -> Form:
    """Return the form of (before, after) per axis, or of what stands for that."""
    number = {"type": "integer", "minimum": 0}
    pair = of_length(number, 2)
    return one_of(of_length(one_of(pair, number), axes), number, *([pair] if axes == 1 else []))


def per_pattern(*forms: Form) -> Form:
    """Return the form of values by patterns of names: pairs, as they are written, or an object."""
    pair = {
        "type": "array",
        "prefixItems": [{"type": "string"}, one_of(*forms)],
        "minItems": 2,
        "maxItems": 2,
    }
    unnamed = {"not": {"const": "kind"}}
    values = {"type": "object", "additionalProperties": one_of(*forms), "propertyNames": unnamed}
    return one_of(listed(pair), values)


def read_as(*forms: Form) -> WithJsonSchema:
    """Return what says so in the annotation of a field."""
    return WithJsonSchema(dict(one_of(*forms)))
