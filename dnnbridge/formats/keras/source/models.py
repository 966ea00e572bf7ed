"""Serialised models as functions that build them."""

from __future__ import annotations

from collections.abc import Sequence

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.source.graphs import GraphSource, input_of
from dnnbridge.formats.keras.source.objects import Config, Objects
from dnnbridge.formats.source.expressions import Code, call, wrapped
from dnnbridge.formats.source.names import Names


class ModelSources:
    """Writes a function for each model, those of inner models first.

    Args:
        reserved: the identifiers that the file uses already.
        findings: receives what cannot be written.

    Attributes:
        objects: writes layers and other objects.
        functions: the text of each function.
    """

    def __init__(self, reserved: Sequence[str], findings: Findings) -> None:
        self._reserved, self._names = reserved, Names(reserved)
        self.objects = Objects(self._call_of, findings)
        self.functions: list[str] = []

    def write(self, model: Config, function: str, path: str = "") -> None:
        """Write the function of a model."""
        config = model["config"]
        if model["class_name"] == "Sequential":
            lines = [self._sequential(config, path)]
        else:
            names = Names([*self._reserved, function])
            graph = GraphSource(config, names, lambda entry: self._layer(entry, path))
            lines = graph.statements()
        is_named = path and config["name"].isidentifier()
        name = f" {config['name']}" if is_named else ""
        head = f'def {function}():\n    """Return the model{name}, with new weights."""'
        self.functions.append("\n".join([head, *(wrapped(line, 4) for line in lines)]))

    def _call_of(self, model: Config, path: str) -> Code:
        """Write a model that is a layer of another, and return the call that builds it."""
        # `Names` makes no identifier that begins with "_", so no variable has this name.
        function = "_" + self._names.of(f"build_{model['config']['name']}")
        self.write(model, function, path)
        return Code(f"{function}()")

    def _sequential(self, config: Config, path: str) -> str:
        first, *rest = config["layers"]
        layers = [input_of(first["config"], named=False)]
        layers += [self._layer(each, path) for each in rest]
        return f"return {call('keras.Sequential', [layers], {'name': config['name']})}"

    def _layer(self, layer: Config, path: str) -> Code:
        return self.objects.of(layer, f"{path}/{layer['config'].get('name', '')}".strip("/"))
