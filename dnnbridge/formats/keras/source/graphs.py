"""The layers of a serialised Functional model as statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.keras.source.operations import MODULE, operation
from dnnbridge.formats.source.expressions import Code, call
from dnnbridge.formats.source.names import Names

Config = Mapping[str, Any]

Step = tuple[str, int]
"""A layer, and which of its calls, from 0."""


class GraphSource:
    """Writes the statements of a Functional model.

    Args:
        config: of the model.
        names: the identifiers of its function.
        layer: returns the expression that makes a layer.
    """

    def __init__(self, config: Config, names: Names, layer: Callable[[Config], Code]) -> None:
        self._config, self._names, self._layer = config, names, layer
        self._entries: dict[str, Config] = {entry["name"]: entry for entry in config["layers"]}
        self._variables: dict[Step, str] = {}
        self._shared: dict[str, Code] = {}
        operations = (e for e in self._entries.values() if e["module"].startswith(MODULE))
        self._given_by_keras = {snake_case(each["class_name"]) for each in operations}
        self._several = {place[0] for place in _places(config) if place[2] > 0}

    def statements(self) -> list[str]:
        """Return the statements, with that which returns the model."""
        lines: list[str] = []
        for step in self._in_order():
            lines += self._made(*step)
        ends = [self._ends("input_layers"), self._ends("output_layers")]
        return [*lines, f"return {call('keras.Model', ends, {'name': self._config['name']})}"]

    def _made(self, name: str, number: int) -> list[str]:
        """Return the statements of one call of a layer."""
        entry, before = self._entries[name], []
        calls = entry["inbound_nodes"]
        if not calls:
            made = input_of(entry["config"], named=True)
        elif entry["module"].startswith(MODULE):
            arguments = self._with_variables(calls[number]["args"])
            made = operation(entry["class_name"], entry["config"], arguments)
        else:
            layer = self._shared.get(name) or self._layer(self._renamed(entry))
            if len(calls) > 1 and name not in self._shared:
                self._shared[name] = Code(self._names.of(f"{name}_layer"))
                before = [f"{self._shared[name]} = {layer}"]
                layer = self._shared[name]
            args, kwargs = (self._with_variables(calls[number][key]) for key in ("args", "kwargs"))
            made = call(layer, args, kwargs)
        self._variables[name, number] = self._names.of(name)
        return [*before, f"{self._variables[name, number]} = {made}"]

    def _renamed(self, entry: Config) -> Config:
        """Return a layer with another name if Keras gives its name to an operation of the model."""
        name = entry["config"]["name"]
        if re.sub(r"_\d+$", "", name) not in self._given_by_keras:
            return entry
        return {**entry, "config": {**entry["config"], "name": f"{name}_layer"}}

    def _ends(self, key: str) -> Any:
        """Return the inputs or the outputs of the model: one tensor or a list."""
        found = [self._tensor(place) for place in self._config[key]]
        return found if len(found) > 1 else found[0]

    def _with_variables(self, given: Any) -> Any:
        """Return arguments of a call, with variables for tensors."""
        if isinstance(given, list):
            return [self._with_variables(each) for each in given]
        if isinstance(given, Mapping) and given.get("class_name") == "__keras_tensor__":
            return self._tensor(given["config"]["keras_history"])
        if isinstance(given, Mapping) and "class_name" not in given:
            return {key: self._with_variables(each) for key, each in given.items()}
        return given

    def _tensor(self, place: Sequence[Any]) -> Code:
        """Return a result of a layer: a variable, or an entry of a list if it has several."""
        name, number, index = place
        entry = self._entries[name]["config"]
        several = name in self._several or len(entry.get("output_layers", ())) > 1
        variable = self._variables[name, number]
        return Code(f"{variable}[{index}]" if several else variable)

    def _in_order(self) -> Iterator[Step]:
        """Yield the calls of layers, each after those whose results it takes."""
        waiting = {
            (name, number): {(place[0], place[1]) for place in _places(each)}
            for name, entry in self._entries.items()
            for number, each in enumerate(entry["inbound_nodes"] or [()])
        }
        done: set[Step] = set()
        while waiting:
            step = next(step for step, needed in waiting.items() if needed <= done)
            done.add(step)
            del waiting[step]
            yield step


def _places(given: Any) -> Iterator[Sequence[Any]]:
    """Yield the results of layers that a call or a model takes."""
    if isinstance(given, Mapping) and "keras_history" in given:
        yield given["keras_history"]
    elif isinstance(given, Mapping):
        for key, each in given.items():
            if key != "config" or "inbound_nodes" not in given:  # those of an inner model
                yield from _places(each)
    elif isinstance(given, (list, tuple)):
        for each in given:
            yield from _places(each)


def input_of(config: Config, *, named: bool) -> Code:
    """Return the call that makes an input."""
    shape = tuple(config["batch_shape"][1:])
    others = {} if config["dtype"] == "float32" else {"dtype": config["dtype"]}
    batch = config["batch_shape"][0]
    others |= {} if batch is None else {"batch_size": batch}
    return call("keras.Input", [shape], others | ({"name": config["name"]} if named else {}))
