"""Initializers, regularizers, constraints and activations of Keras as specs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from dnnbridge.activations import AbstractActivation
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.keras.settings import Serialized, Settings, serialized
from dnnbridge.initializers import AbstractInitializer
from dnnbridge.specs.resolving import find_kind
from dnnbridge.specs.spec import Spec
from dnnbridge.weights.constraints import AbstractConstraint
from dnnbridge.weights.regularizers import AbstractRegularizer

S = TypeVar("S", bound=Spec)

FAMILIES: dict[str, type[Spec]] = {
    "initializer": AbstractInitializer,
    "regularizer": AbstractRegularizer,
    "constraint": AbstractConstraint,
    "activation": AbstractActivation,
}
"""The family of an argument by the last word of its name."""

IGNORED = {"seed", "name", "input_axes", "output_axes", "dtype"}
"""Arguments of initializers that choose other random numbers, not another distribution."""

ARRAYS = {"__numpy__", "__tensor__"}
"""How Keras calls the arrays among its arguments."""


def family_of_argument(name: str) -> type[Spec] | None:
    """Return the family of specs that an argument takes."""
    return FAMILIES.get(name.rpartition("_")[2])


def read_part(value: Any, name: str, settings: Settings) -> Any:
    """Return the spec of a serialised argument, or the value itself if it is a plain one."""
    family = family_of_argument(name)
    if family is None or value is None:
        array = serialized(value)
        if array and array.kind in ARRAYS:
            value = array.config["value"]
        return tuple(value) if isinstance(value, list) else value
    found = Serialized(value, {}) if isinstance(value, str) else serialized(value)
    try:
        made = with_arguments(family, found) if found else None
    except DnnbridgeError as error:
        settings.findings.add(settings.path, f"{settings.kind} with {name}: {error}")
        return None
    if made is None:
        settings.unsupported(name)
    return made


DEFAULTS: Mapping[str, Any] = {
    **{"axis": -1, "summation_method": "interpolation", "multi_label": False},
    **{"from_logits": False, "class_aggregation": "uniform_average", "num_regressors": 0},
}
"""Arguments that only Keras has, and the values in which they have no effect."""


def with_arguments(family: type[S], found: Serialized) -> S | None:
    """Make the spec of a family that a Keras object has the name and the arguments of.

    Returns:
        None if the family has no such class, or the class lacks an argument that has an effect.
    """
    cls = find_kind(family, found.kind, found.config)
    if cls is None:
        return None
    known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    given = {key: value for key, value in found.config.items() if key not in IGNORED}
    surplus = {key: value for key, value in given.items() if key not in known}
    if any(value is not None and value != DEFAULTS.get(k, ...) for k, value in surplus.items()):
        return None
    plain = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}
    if any(isinstance(value, Mapping) for value in plain.values()):
        return None
    return cls(**{key: value for key, value in plain.items() if key in known})
