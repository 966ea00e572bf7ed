"""Parts of layers in the form in which Keras serialises them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from dnnbridge.activations import GLU, AbstractActivation, PReLU, as_activation
from dnnbridge.formats.keras.parts import FAMILIES, with_arguments
from dnnbridge.formats.keras.settings import Serialized
from dnnbridge.initializers import AbstractInitializer
from dnnbridge.specs.resolving import makeable_names
from dnnbridge.specs.spec import Spec, names_of
from dnnbridge.weights.constraints import AbstractConstraint
from dnnbridge.weights.regularizers import AbstractRegularizer

MODULES: dict[type[Spec], str] = {
    AbstractInitializer: "keras.initializers",
    AbstractRegularizer: "keras.regularizers",
    AbstractConstraint: "keras.constraints",
    AbstractActivation: "keras.layers",
}
"""Where Keras has the classes of a family."""


def keras_object(kind: str, config: Any, module: str = "keras.layers") -> dict[str, Any]:
    """Return an object as Keras serialises it.

    Example:
        >>> keras_object("L2", {"l2": 0.1}, "keras.regularizers")["class_name"]
        'L2'
    """
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def fields_of(spec: Spec) -> dict[str, Any]:
    """Return the fields of a spec by name."""
    return {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    return list(value) if isinstance(value, tuple) else value


def written_part(value: Any, rank: int | None = None) -> Any:
    """Return an argument in the form in which Keras serialises it.

    Args:
        value: a number, a name, or a spec of a part.
        rank: of the weight that a constraint is for.

    Returns:
        None for a spec that Keras does not have: `with_arguments` cannot read it back.
    """
    if isinstance(value, AbstractActivation):
        return written_activation(value)
    if not isinstance(value, Spec):
        return plain(value)
    family = next((f for f in FAMILIES.values() if isinstance(value, f)), None)
    if family is None:
        return None
    config = {name: plain(each) for name, each in fields_of(value).items()}
    if isinstance(value, AbstractConstraint) and "axis" in config and config["axis"] is None:
        axes = tuple(range((rank or 2) - 1))
        axis = axes if len(axes) > 1 else sum(axes)  # a bias has axis 0, and so has a matrix
        config["axis"], value = plain(axis), value.replace(axis=axis)
    config = {name: each for name, each in config.items() if not _is_default_epsilon(name, value)}
    kind = type(value).__name__
    if with_arguments(family, Serialized(kind, config)) != value:
        return None
    return keras_object(kind, config, MODULES[family])


def _is_default_epsilon(name: str, spec: Spec) -> bool:
    """Return whether this is the ε that Keras has built in."""
    return name == "epsilon" and isinstance(spec, AbstractConstraint)


def written_activation(value: AbstractActivation) -> Any:
    """Return the name of an activation, or the layer that computes it.

    None for PReLU, which has weights, and for GLU, after which Keras 3.15 takes a wrong width.
    """
    if isinstance(value, (GLU, PReLU)):
        return None
    names: Sequence[str] = names_of(type(value))
    for name in names:
        if name in makeable_names(AbstractActivation) and as_activation(name) == value:
            return name
    return keras_object(type(value).__name__, {n: plain(v) for n, v in fields_of(value).items()})
