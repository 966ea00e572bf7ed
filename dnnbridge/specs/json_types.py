"""JSON forms of the fields that have a validator function, which pydantic cannot describe.

A form is a JSON Schema. `of_kind` and `by_name` are placeholders in it: `json_schema` replaces them
by the kinds and names that are registered when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

Form = Mapping[str, Any]

KINDS, NAMES = "kinds", "names"
"""Keys of the placeholders for the kinds below a base and for their names."""

LARGEST = float(np.finfo(np.float32).max)
"""Largest number: computation is in float32, where a larger number is infinite."""

NULL: Form = {"type": "null"}
NOT_NEGATIVE: Form = {"type": "number", "minimum": 0, "maximum": LARGEST}


class WithinFloat32:
    """Annotation that adds the bounds of float32 to the JSON Schema of a number."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made = handler(core)
        below = {} if "exclusiveMinimum" in made else {"minimum": -LARGEST}
        return {**below, "maximum": LARGEST, **made}


def of_kind(base: type) -> Form:
    """Return the form of a registered class, or of all kinds below a base."""
    return {KINDS: base.__name__}


def by_name(base: type) -> Form:
    """Return the form of the names of kinds below a base that need no arguments."""
    return {NAMES: base.__name__}


def one_of(*forms: Form) -> Form:
    """Return the form of a value that fits at least one of these forms."""
    return forms[0] if len(forms) == 1 else {"anyOf": list(forms)}


def listed(*forms: Form, least: int = 0) -> Form:
    """Return the form of a list whose items fit one of these forms."""
    return {"type": "array", "items": one_of(*forms)} | ({"minItems": least} if least else {})


def of_length(form: Form, length: int) -> Form:
    """Return the form of a list with a fixed number of items."""
    return {"type": "array", "items": form, "minItems": length, "maxItems": length}


def words(*known: str) -> Form:
    """Return the form of a fixed set of words."""
    return {"enum": list(known)}


def sizes_form(axes: int, least: int = 1) -> Form:
    """Return the form of one size per axis, or one for all."""
    size = {"type": "integer", "minimum": least}
    return one_of(of_length(size, axes), size)


def pairs_form(axes: int) -> Form:
    """Return the form of (before, after) per axis, or of the short forms of it."""
    number = {"type": "integer", "minimum": 0}
    pair = of_length(number, 2)
    return one_of(of_length(one_of(pair, number), axes), number, *([pair] if axes == 1 else []))


def per_pattern(*forms: Form) -> Form:
    """Return the form of values by name pattern: a list of pairs, as written, or an object."""
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
    """Return the annotation that gives a field these forms."""
    return WithJsonSchema(dict(one_of(*forms)))
