"""The configuration of a Keras object, as Keras serialises it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dnnbridge.base.messages import shorten
from dnnbridge.formats.findings import Findings

Config = Mapping[str, Any]

WITHOUT_EFFECT = {
    *("name", "dtype", "trainable", "seed", "autocast", "implementation", "unroll"),
    *("synchronized", "batch_input_shape", "time_major", "quantization_config"),
    *("use_cudnn_on_gpu", "sparse", "ragged", "optional"),
}
"""Arguments that do not change a number of a model in float32 in one process."""


POLICIES = ("float32", "float64", "mixed_float16", "mixed_bfloat16")
"""Policies of dtypes that a layer may have."""


class Serialized(NamedTuple):
    """A Keras object: its class, and its arguments by name."""

    kind: str
    config: Config


def serialized(value: Any) -> Serialized | None:
    """Read a serialised object; None if the value is something else.

    Example:
        >>> serialized({"class_name": "L2", "config": {"l2": 0.01}})
        Serialized(kind='L2', config={'l2': 0.01})
    """
    if not isinstance(value, Mapping) or "class_name" not in value:
        return None
    config, kind = value.get("config", {}), str(value["class_name"])
    module = value.get("module")
    registered = str(value.get("registered_name") or "")
    foreign = module is not None and module.partition(".")[0] != "keras"
    if isinstance(config, str):  # a function
        return Serialized(f"{module}.{config}" if foreign else config, {})
    if foreign or ">" in registered or ">" in kind:  # a class of the user, whatever its name
        return Serialized(registered if ">" in registered else f"{module}.{kind}", config or {})
    return Serialized(kind, config if isinstance(config, Mapping) else {})


@dataclass
class Settings:
    """The arguments of one Keras layer. It notes which have been read.

    Attributes:
        kind: the class.
        config: its arguments by name.
        path: of the layer, for findings.
        findings: receives what cannot be read.
    """

    kind: str
    config: Config
    path: str
    findings: Findings
    read: set[str] = field(default_factory=set)

    def take(self, name: str, default: Any = None) -> Any:
        """Return an argument."""
        self.read.add(name)
        return self.config.get(name, default)

    def neutral(self, **values: Any) -> None:
        """Mark arguments as read that have these values, in which they have no effect."""
        for name, value in values.items():
            if self.config.get(name, value) == value:
                self.read.add(name)

    def unsupported(self, name: str) -> None:
        """Add an argument to the findings."""
        self.read.add(name)
        value = shorten(self.config.get(name), 60)
        self.findings.add(self.path, f"{self.kind} with {name}={value}")

    def finish(self) -> None:
        """Add every argument that was not read, and a dtype that is no known policy."""
        for name in self.config.keys() - self.read - WITHOUT_EFFECT:
            if self.config[name] is not None and self.config[name] is not False:
                self.unsupported(name)
        policy = dtype_of(self.config.get("dtype"))
        self.findings.policies[self.path] = policy
        if policy not in POLICIES:
            self.findings.add(self.path, f"{self.kind} with dtype={policy}")


def dtype_of(value: Any) -> str:
    """Return the name of a dtype or of a policy of dtypes."""
    found = serialized(value)
    if found:
        return str(found.config.get("name", found.kind))
    return "float32" if value is None else str(value)
