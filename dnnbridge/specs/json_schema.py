"""JSON Schema of specs: what `to_json` writes, and the short forms that `from_json` reads too."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any

from pydantic import WithJsonSchema
from pydantic.errors import PydanticInvalidForJsonSchema

from dnnbridge.specs.field_types import adapter_of, default_of, infos_of
from dnnbridge.specs.json_types import KINDS, NAMES, of_kind
from dnnbridge.specs.resolving import makeable_names
from dnnbridge.specs.spec import Spec, encoded, kind_of, kinds, word_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(root: type[Spec]) -> dict[str, Any]:
    """Return the JSON Schema of a kind, or of all below a base, with every registered kind.

    What is imported is registered. A check of several fields together is not in it.

    Example:
        >>> from dnnbridge import Dropout
        >>> json_schema(Dropout)["$defs"]["layer.Dropout"]["properties"]["kind"]
        {'const': 'layer.Dropout'}
    """
    definitions = _Definitions()
    for cls in kinds(Spec):
        definitions.made[kind_of(cls)] = _record(cls, definitions)
    reference = definitions.reference(root)
    return {"$schema": DIALECT, **reference, "$defs": dict(sorted(definitions.made.items()))}


class _Definitions:
    """The schemas that others refer to; those of families are made when they are asked for."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self._bases = {base.__name__: base for base in _bases()}

    def reference(self, base: type[Spec]) -> dict[str, Any]:
        """Return the reference to a kind, or to any kind below a base."""
        known = list(kinds(base))
        if base in known:
            return {"$ref": f"#/$defs/{kind_of(base)}"}
        name = word_of(base).replace(" ", "_")
        if name not in self.made:
            below = [{"$ref": f"#/$defs/{kind_of(cls)}"} for cls in known]
            self.made[name] = {"description": _summary(base), "oneOf": below}
        return {"$ref": f"#/$defs/{name}"}

    def names(self, base: type[Spec]) -> dict[str, Any]:
        """Return the reference to the names of the kinds below a base."""
        name = f"{word_of(base)} name".replace(" ", "_")
        self.made.setdefault(name, {"enum": sorted(makeable_names(base))})
        return {"$ref": f"#/$defs/{name}"}

    def resolved(self, form: Any) -> Any:
        """Return a form with references in place of what stands for kinds and names."""
        if isinstance(form, list):
            return [self.resolved(each) for each in form]
        if not isinstance(form, dict):
            return form
        if isinstance(form.get(KINDS), str):
            return self.reference(self._bases[form[KINDS]])
        if isinstance(form.get(NAMES), str):
            return self.names(self._bases[form[NAMES]])
        return {key: self.resolved(each) for key, each in form.items()}


def _bases() -> Iterator[type[Spec]]:
    for cls in kinds(Spec):
        yield from (base for base in cls.__mro__ if issubclass(base, Spec))


def _record(cls: type[Spec], definitions: _Definitions) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": {"const": kind_of(cls)}}
    for name in infos_of(cls):
        properties[name] = definitions.resolved(_form(cls, name)) | _default(cls, name)
    required = [name for name, info in infos_of(cls).items() if info.is_required()]
    return {
        "description": _summary(cls),
        "type": "object",
        "properties": properties,
        "required": ["kind", *required],
        "additionalProperties": False,
    }


def _form(cls: Any, name: str) -> Any:
    info = infos_of(cls)[name]
    said = any(isinstance(each, WithJsonSchema) for each in info.metadata)
    if not said and isinstance(info.annotation, type) and issubclass(info.annotation, Spec):
        return of_kind(info.annotation)
    try:
        return adapter_of(cls, name).json_schema()
    except PydanticInvalidForJsonSchema:  # somebody's own type: anything
        return {}


def _default(cls: Any, name: str) -> dict[str, Any]:
    default = default_of(cls, name)
    if default is MISSING:
        return {}
    made = encoded(default)
    try:
        return {"default": json.loads(json.dumps(made, allow_nan=False))}
    except (TypeError, ValueError):  # one that JSON does not hold
        return {}


def _summary(cls: type[Spec]) -> str:
    return (inspect.getdoc(cls) or cls.__name__).partition("\n")[0]
