"""`read_model`: the model here for a serialised Sequential or Functional model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.errors import DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.application_layers import is_of_applications
from dnnbridge.formats.keras.calls import Place, shapes_of_call
from dnnbridge.formats.keras.layers import MODELS, read_layer
from dnnbridge.formats.keras.masks import Source, mask_of
from dnnbridge.formats.keras.rule import Group, Rebuilt
from dnnbridge.formats.keras.run_time_masks import takes_masks_off
from dnnbridge.formats.keras.settings import Serialized, dtype_of, serialized
from dnnbridge.formats.keras.stateful import says_stateful
from dnnbridge.formats.keras.whole_numbers import (
    read_as_whole_numbers,
    reads_whole_numbers,
    with_casts,
)
from dnnbridge.formats.keras.wiring import Wiring
from dnnbridge.layers import AbstractLayer
from dnnbridge.models import Input, Model, Sequential

DTYPES = {"int32": "int32", "int64": "int32", "bool": "bool", "string": "string"}
"""The dtype of an input here by Keras' dtype; every other one is float32."""

CLASSES_IN_FILES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Classes whose arrays are under another name in a `.weights.h5` file: that of Keras' code."""

InputShapes = Mapping[str, Sequence[int]] | Sequence[int] | Sequence[Sequence[int | None]]
"""The shape of an example by name of the input, in the order of the inputs, or the only one."""


def read_model(
    found: Serialized,
    path: str,
    findings: Findings,
    shapes: InputShapes | None = None,
    masked: Sequence[bool] = (),
) -> Rebuilt | None:
    """Return the model here and the arrays of its layers; None with findings if it is not whole.

    Args:
        found: the serialised model.
        path: the names of the models around it.
        findings: receives what cannot be read.
        shapes: of inputs that leave a size open.
        masked: which inputs have a mask when Keras calls the model.
    """
    before = len(findings.found)
    findings.masked = findings.masked or _makes_masks(found.config)
    reader = _Reader(found, path, findings, shapes, masked)
    try:
        made = reader.sequential() if found.kind == "Sequential" else reader.functional()
    except DnnbridgeError as error:
        if len(findings.found) == before:  # else it may follow from what is missing
            findings.add(path, str(error))
        return None
    if made is None and len(findings.found) == before:
        strange = [e.found.kind for e in reader.entries if e.is_operation]
        findings.add(path, f"functions in a Sequential: {', '.join(strange) or 'unknown'}")
    if made is None or len(findings.found) > before:
        return None
    return Rebuilt(made, tuple(reader.groups()), reader.unmasked)


def _makes_masks(value: Any) -> bool:
    """Return whether a layer in a configuration makes a mask of time steps."""
    if isinstance(value, Mapping):
        found = serialized(value)
        if found and (found.kind == "Masking" or found.config.get("mask_zero") is True):
            return True
        if any(value.get(name) for name in ("mask", "query_mask", "value_mask")):  # of a call
            return True
        return any(map(_makes_masks, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_makes_masks, value))


class _Entry:
    """One entry of the layers of a model."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        found = serialized(config)
        assert found is not None
        self.found, self.config = found, config
        self.name = name_of(config)
        self.is_input = found.kind == "InputLayer"
        self.is_operation = not self.is_input and _is_operation(config, found)


def _is_operation(config: Mapping[str, Any], found: Serialized) -> bool:
    """Return whether an entry is a function of Keras, not a layer; a legacy file has no modules."""
    if is_of_applications(config, found.kind):
        return True
    if "module" in config:
        return str(config["module"]).startswith(("keras.src.ops", "keras.src.activations"))
    of_layers = found.config.keys() & {"trainable", "dtype"}
    return found.kind not in MODELS and (not of_layers or found.kind == "Cast")


class _Reader:
    """Reads the layers of one model, then puts them together."""

    def __init__(
        self,
        found: Serialized,
        path: str,
        findings: Findings,
        shapes: InputShapes | None,
        masked: Sequence[bool],
    ) -> None:
        self.masked, self.unmasked = masked, frozenset[int]()
        self.config, self.path, self.findings, self.shapes = found.config, path, findings, shapes
        self.entries = [_Entry(each) for each in found.config.get("layers", ())]
        self.names = names_here(found.config)
        self.parts = {e.name: p for e in self.entries if (p := self._layer(e)) is not None}

    def _layer(self, entry: _Entry, masked: Sequence[bool] = ()) -> Rebuilt | None:
        if entry.is_input or entry.is_operation:
            return None
        path = f"{self.path}/{entry.name}".lstrip("/")
        shapes = shapes_of_call(entry.config) if entry.found.kind in MODELS else None
        part = read_layer(entry.found, path, self.findings, shapes, masked)
        if part is None:
            return None
        frozen = self.config.get("trainable") is False
        if frozen and any(group.trainable and group.names for group in part.groups):
            self.findings.add(path, "a layer that is trained in a model that is frozen")
        return part._replace(layer=part.layer.replace(name=self.names[entry.name]))

    def _again(self, name: str, masked: Sequence[bool]) -> Rebuilt | None:
        """Read a model inside this one for inputs with masks."""
        return self._layer(next(e for e in self.entries if e.name == name), masked)

    def _chain(self) -> list[AbstractLayer]:
        """Return the layers of a Sequential, models among them read for the masks they find."""
        layers, place = [], Place("")
        mask = frozenset({(place, None)}) if any(self.masked) else frozenset[Source]()
        for i, (name, part) in enumerate(self.parts.items()):
            finds = mask and part.layer.is_model and takes_masks_off(part.layer)
            part = (finds and self._again(name, (True,))) or part
            mask = mask_of(place, part.layer, [place], [mask])
            self.unmasked |= part.unmasked if i == 0 else frozenset()
            layers.append(part.layer)
        return layers

    def sequential(self) -> Sequential | None:
        """Return a model of layers one after another."""
        start = next((e.found.config for e in self.entries if e.is_input), {})
        rest = [entry for entry in self.entries if not entry.is_input]
        if not rest:
            self.findings.add(self.path, "a Sequential without layers: add one")
            return None
        shape = start.get("batch_shape") or self.config.get("build_input_shape")
        if shape is None:
            self.findings.add(self.path, "a Sequential without the shape of its input: build it")
            return None
        layers = self._chain()
        whole = bool(layers) and reads_whole_numbers(layers[0], 0)
        given = self._input(None, {"batch_shape": shape, **start}, whole)
        if given is None or len(layers) < len(rest):
            return None
        return Sequential([given, *with_casts(given.dtype, layers)])

    def functional(self) -> Model | None:
        """Return a graph of layers."""
        layers = {name: part.layer for name, part in self.parts.items()}
        plain = (e for e in self.entries if not (e.is_input or e.is_operation))
        unread = {entry.name for entry in plain} - layers.keys()
        wiring = Wiring(
            *(self.names, layers, self.path, self.findings, self._again, unread, self.masked)
        )
        whole = read_as_whole_numbers([entry.config for entry in self.entries], layers)
        for entry in self.entries:
            if entry.is_input:
                name = self.names[entry.name]
                made = self._input(name, entry.found.config, entry.name in whole)
                wiring.add_input(entry.name, made or Input(()))
        if isinstance(self.config["output_layers"], Mapping):
            self.findings.add(self.path, "outputs as a dictionary: make the model with a list")
        calls = [entry.config for entry in self.entries if not entry.is_input]
        model = wiring.model(calls, self.config["input_layers"], self.config["output_layers"])
        self.unmasked = wiring.unmasked
        return model

    def _input(self, name: str | None, config: Mapping[str, Any], whole: bool) -> Input | None:
        """Return an input. One that only embeddings read holds whole numbers, `whole`."""
        shape = config.get("batch_shape") or config.get("batch_input_shape") or ()
        sizes, shapes = tuple(shape[1:]), self.shapes
        if None in sizes and shapes is not None:
            sizes = self._given(name, sizes, shapes)
        if None in sizes:
            where = f"{self.path}/{name or 'input'}".lstrip("/")
            self.findings.add(where, f"an input of shape {sizes}: give input_shapes")
            return None
        dtype = DTYPES.get(dtype_of(config.get("dtype")), "float32")
        kind = "int32" if whole else dtype
        batch = shape[0] if shape and says_stateful(self.config) else None
        return Input(sizes, kind, name, batch)  # type: ignore[arg-type]

    def _given(
        self, name: str | None, sizes: tuple[int | None, ...], shapes: InputShapes
    ) -> tuple[int | None, ...]:
        """Return the sizes of an input, with those that are given for open ones."""
        given: Any
        if isinstance(shapes, Mapping):
            given = shapes.get(name or "", sizes)
        elif shapes and not isinstance(shapes[0], int):  # by the order of the inputs
            inputs = [self.names[e.name] for e in self.entries if e.is_input]
            index = inputs.index(name) if name in inputs else 0
            given = shapes[index] if index < len(shapes) else sizes
        else:
            given = shapes
        if len(given) != len(sizes):
            return sizes
        return tuple(given[i] if size is None else size for i, size in enumerate(sizes))

    def groups(self) -> list[Group]:
        """Return the arrays of all layers, with their places in a `.weights.h5` file."""
        taken: dict[str, int] = {}
        groups: list[Group] = []
        trainable = bool(self.config.get("trainable", True))
        for entry in self.entries:
            if entry.is_operation:
                continue
            kind = snake_case(CLASSES_IN_FILES.get(entry.found.kind, entry.found.kind))
            number = taken[kind] = taken.get(kind, -1) + 1
            file = f"layers/{kind}_{number}" if number else f"layers/{kind}"
            if entry.name in self.parts:
                inner, here = self.parts[entry.name].groups, self.names[entry.name]
                groups += [each.below(file, here, trainable, entry.name) for each in inner]
        return groups


def name_of(entry: Mapping[str, Any]) -> str:
    """Return Keras' name of a layer of a model."""
    return str(entry.get("name") or entry.get("config", {}).get("name"))


def names_here(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the name here of each layer of a model, by Keras' name."""
    return plain_names([name_of(entry) for entry in config.get("layers", ())])


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return a name of letters, digits and _ for each name; all differ.

    Example:
        >>> plain_names(["block-1/conv", "block 1.conv"])
        {'block-1/conv': 'block_1_conv', 'block 1.conv': 'block_1_conv_1'}
    """
    made: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name).strip("_") or "layer"
        number, free = 0, plain
        while free in made.values():
            number += 1
            free = f"{plain}_{number}"
        made[name] = free
    return made
