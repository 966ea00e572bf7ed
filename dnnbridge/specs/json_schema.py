"""JSON Schema of specs: what `to_json` writes, and the short forms that `from_json` also reads."""

from __future__ import annotations

import inspect
import json
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
    """Return the JSON Schema of a kind, or of all kinds below a base.

    It defines every registered kind, and a class is registered when its module is imported. Checks
    that involve several fields are not in it.

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
    """Schemas by name, for references. The schema of a family is made on first use."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self._bases = bases_by_name()

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
        """Return a form with references in place of its placeholders."""
        if isinstance(form, list):
            return [self.resolved(each) for each in form]
        if not isinstance(form, dict):
            return form
        if isinstance(form.get(KINDS), str):
            return self.reference(self._bases[form[KINDS]])
        if isinstance(form.get(NAMES), str):
            return self.names(self._bases[form[NAMES]])
        return {key: self.resolved(each) for key, each in form.items()}


def bases_by_name() -> dict[str, type[Spec]]:
    """Return the registered classes and all their bases below `Spec`, by the name of the class."""
    found = (base for cls in kinds(Spec) for base in cls.__mro__ if issubclass(base, Spec))
    return {base.__name__: base for base in found}


def _record(cls: type[Spec], definitions: _Definitions) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": {"const": kind_of(cls)}}
    for name in infos_of(cls):
        properties[name] = definitions.resolved(form_of(cls, name)) | _default(cls, name)
    required = [name for name, info in infos_of(cls).items() if info.is_required()]
    return {
        "description": _summary(cls),
        "type": "object",
        "properties": properties,
        "required": ["kind", *required],
        "additionalProperties": False,
    }


def form_of(cls: Any, name: str) -> Any:
    """Return the form of a field, with placeholders for the kinds and names that it takes."""
    info = infos_of(cls)[name]
    said = any(isinstance(each, WithJsonSchema) for each in info.metadata)
    if not said and isinstance(info.annotation, type) and issubclass(info.annotation, Spec):
        return of_kind(info.annotation)
    try:
        return adapter_of(cls, name).json_schema()
    except PydanticInvalidForJsonSchema:  # a type that pydantic cannot describe
        return {}


def _default(cls: Any, name: str) -> dict[str, Any]:
    default = default_of(cls, name)
    if default is MISSING:
        return {}
    made = encoded(default)
    try:
        return {"default": json.loads(json.dumps(made, allow_nan=False))}
    except (TypeError, ValueError):  # not a JSON value
        return {}


def _summary(cls: type[Spec]) -> str:
    return (inspect.getdoc(cls) or cls.__name__).partition("\n")[0]
