"""Objects that Keras serialises, as calls of their classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.source.arguments import arguments_of
from dnnbridge.formats.source.expressions import Code, call

Config = Mapping[str, Any]

SHORT = {"keras.layers": "layers"}
"""Modules that the file imports by a shorter name."""

SIZES = {"kernel_size", "strides", "dilation_rate", "pool_size", "size"}
"""Arguments for which one number stands for the same number along every axis."""

TUPLES = {*SIZES, "target_shape", "padding", "cropping", "dims", "noise_shape"}
"""Arguments that are written as tuples."""

MODELS = ("Sequential", "Functional")

NAMED = {"keras.layers", "keras.metrics"}
"""Modules whose objects are written with their names."""


class Objects:
    """Writes objects as calls that name only the arguments that differ from Keras' defaults.

    Args:
        write_model: returns the expression that makes a model within a layer.
        findings: receives what cannot be written.
    """

    def __init__(self, write_model: Callable[[Config, str], Code], findings: Findings) -> None:
        self._write_model, self._findings = write_model, findings

    def of(self, given: Config, path: str = "", *, named: bool = True) -> Code:
        """Return the call that makes a serialised object.

        Args:
            given: the object.
            path: of the layer, for findings.
            named: whether the object gets its name.
        """
        kind, config = given["class_name"], dict(given["config"])
        if kind in MODELS:
            return self._write_model(given, path)
        module = given["module"]
        known = arguments_of(f"{module}.{kind}")
        if known is None:
            self._findings.add(path, f"Keras has no {module}.{kind}")
            return Code("None")
        if module == "keras.metrics":  # a history has these names
            named = config.get("name") != (known.defaults.get("name") or snake_case(kind))
        if not named or module not in NAMED:
            config.pop("name", None)
        if kind == "Bidirectional":
            _leave_out_backward(config)
        unknown = [n for n in config if n not in known.required and n not in known.defaults]
        for name in unknown:
            self._findings.add(path, f"{kind} of Keras has no argument {name}")
        name = config.pop("name", None)
        required = [self.value(config.pop(n), path, n) for n in known.required if n in config]
        others = {
            key: self.value(config[key], path, key)
            for key, default in known.defaults.items()
            if key in config and not _is_default(config[key], default, key)
        }
        others |= {} if name is None else {"name": name}
        return call(f"{SHORT.get(module, module)}.{kind}", required, others)

    def value(self, value: Any, path: str, name: str = "") -> Any:
        """Return an argument for `literal`."""
        if isinstance(value, Mapping) and "class_name" in value:
            return self.of(value, path, named=False)
        value = _one_number(value) if name in SIZES else value
        return _tuples(value) if name in TUPLES else value


def _leave_out_backward(config: dict[str, Any]) -> None:
    """Leave out the backward layer if it is the forward layer turned around, which Keras makes."""
    sides = [dict(config[side]["config"]) for side in ("layer", "backward_layer")]
    for side in sides:
        side.pop("name")
    turned = {**sides[0], "go_backwards": not sides[0].get("go_backwards")}
    if turned == sides[1]:
        config.pop("backward_layer")


def _is_default(value: Any, default: Any, name: str) -> bool:
    """Return whether an argument can be left out."""
    if isinstance(value, Mapping) and "class_name" in value:
        return bool(default == snake_case(value["class_name"])) and _has_defaults(value)
    if name == "activation" and value == "linear":
        return default in (None, "linear")
    if name in SIZES:
        value, default = _one_number(value), _one_number(default)
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)


def _has_defaults(given: Config) -> bool:
    """Return whether all arguments of an object have Keras' defaults."""
    known = arguments_of(f"{given['module']}.{given['class_name']}")
    config = given["config"].items()
    return known is not None and all(known.defaults.get(n, given) == v for n, v in config)


def _one_number(value: Any) -> Any:
    """Return the number that all entries of a list are, or the list."""
    if isinstance(value, list) and value and all(each == value[0] for each in value):
        return value[0]
    return value


def _tuples(value: Any) -> Any:
    """Return lists within each other as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
