"""Functional models in the form in which Keras serialises them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.calls import FUNCTIONAL, Place
from dnnbridge.formats.keras.order import keras_order
from dnnbridge.formats.keras.run_time_masks import takes_masks_off
from dnnbridge.formats.keras.stateful import CALLED_TWICE, carries_states
from dnnbridge.formats.keras.writing.layers import Shapes, write_layer
from dnnbridge.formats.keras.writing.masks import (
    READING,
    TRUTHS,
    arguments_for,
    goes_on,
    takes_last,
)
from dnnbridge.formats.keras.writing.operations import arguments_of, write_operation
from dnnbridge.formats.keras.writing.parts import keras_object
from dnnbridge.graph import Call, TensorType, Value
from dnnbridge.layers import (
    AbstractLayer,
    AdditiveAttention,
    Attention,
    Concatenate,
    Dot,
    Embedding,
    GroupQueryAttention,
    Logical,
    Masking,
    Maximum,
    Minimum,
    MultiHeadAttention,
    Multiply,
    ReversibleEmbedding,
    SetMask,
    Unmask,
    Where,
)
from dnnbridge.layers.merging import AbstractMerge
from dnnbridge.models import AbstractModel, Model
from dnnbridge.models.functional import ModelNode, places_of
from dnnbridge.models.tracing import trace

LISTED = (AbstractMerge, Concatenate, Dot, Attention, AdditiveAttention)
"""Layers that Keras calls on a list of tensors."""

ATTENTIONS = (Attention, AdditiveAttention, GroupQueryAttention, MultiHeadAttention)


class FunctionalWriter:
    """Writes one model.

    Args:
        model: the model.
        path: of it, for findings.
        findings: receives what cannot be written.
    """

    def __init__(self, model: Model, path: str, findings: Findings) -> None:
        self._model, self._path, self._findings = model, path, findings
        self._entries: dict[str, dict[str, Any]] = {}
        self._read: dict[tuple[str, int], list[Place]] = {}
        self._places: dict[str, Place] = {}
        self._types: dict[str, TensorType] = dict(model.input_types)
        self._readers = Counter(each for node in model.nodes for each in {*node.inputs})
        self._readers.update(set(model.output_names))
        self._truths: set[str] = set()
        self._explicit: dict[str, str] = {}
        """The mask that was given by hand to a result that carries none in Keras."""
        self._masked: set[str] = set()
        """Results that may carry a mask in Keras."""

    def write(self, name: str, shapes: Shapes) -> dict[str, Any]:
        """Return the serialised model; the shapes are those of its weights."""
        for each, type in self._model.input_types.items():
            self._entries[each] = input_layer(each, type, each, self._model.batch_size)
            self._entries[each] |= {"name": each, "inbound_nodes": []}
            self._places[each], self._read[each, 0] = Place(each), []
            if type.dtype == "bool":
                self._truths.add(each)
        for node, results in zip(self._model.nodes, _results(self._model), strict=True):
            types = [each.type for each in results]
            self._types |= dict(zip(places_of(node), types, strict=False))
            if len(types) > len(places_of(node)):  # the masks that a model inside makes
                self._masked |= set(places_of(node))
            if isinstance(node.layer, SetMask):
                self._set_mask(node)
            else:
                self._add(node, shapes)
        for each in self._model.output_names:
            if each in self._explicit:
                text = "a mask given by hand that reaches an output: put Unmask() before it"
                self._findings.add(self._at(each), text)
        outputs = [self._place(each) for each in self._model.output_names]
        config = {
            "name": name,
            "trainable": True,
            "layers": [self._entries[each] for each in keras_order(self._read, outputs)],
            "input_layers": [list(self._places[each]) for each in self._model.input_types],
            "output_layers": [list(self._as_output(place)) for place in outputs],
        }
        return keras_object("Functional", config, "keras.src.models.functional")

    def _as_output(self, place: Place) -> Place:
        """Return a place as Keras lists outputs: calls of models inside count from 1."""
        inside = self._entries[place.layer].get("class_name") in FUNCTIONAL
        return place._replace(call=place.call + 1) if inside else place

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}".lstrip("/")

    def _set_mask(self, node: ModelNode) -> None:
        """Note a mask, which becomes an argument of later calls."""
        x, mask = node.inputs
        self._places[node.name], self._explicit[node.name] = self._places[x], mask
        if x in self._truths:
            self._truths.add(node.name)

    def _add(self, node: ModelNode, shapes: Shapes) -> None:
        owner = node.shares or node.name
        if node.shares and carries_states(node.layer):
            self._findings.add(self._at(node.name), CALLED_TWICE)
        alone = self._is_operation(node)
        if node.shares is None:
            sizes = below(shapes, owner)
            made = _written(node.layer, owner, sizes, self._at(node.name), self._findings)
            made = _operation(type(node.layer).__name__, owner) if alone else made
            self._entries[owner] = made | {"name": owner, "inbound_nodes": []}
        last = node.inputs[-1] if takes_last(node.layer, len(node.inputs)) else None
        inputs = node.inputs if last is None else node.inputs[:-1]
        masks = self._masks(node, inputs, last)
        truths = {Logical: len(inputs), Where: 1}.get(type(node.layer), 0)
        given = (*inputs, *node.initial_state)
        read = [self._place(each, i < truths) for i, each in enumerate(given)]
        if takes_masks_off(node.layer):
            copies = {
                each: self._copy(each) for each in dict.fromkeys(inputs) if self._keeps_mask(each)
            }
            read[: len(inputs)] = [copies.get(each, self._place(each)) for each in inputs]
        calls = self._entries[owner]["inbound_nodes"]
        number = len(calls)
        self._read[owner, number] = [*read, *_places(masks)]
        for index, result in enumerate(places_of(node)):
            self._places[result] = Place(owner, number, index)
        tensors = [
            _tensor(place, self._types[each]) for place, each in zip(read, given, strict=True)
        ]
        made = _call(node.layer, tensors[: len(inputs)], tensors[len(inputs) :])
        made = {"args": tensors, "kwargs": {}} if alone else made
        made["kwargs"] |= {key: _tensors(value) for key, value in masks.items()}
        calls.append(made)
        self._note(node, masks)

    def _keeps_mask(self, name: str) -> bool:
        """Return whether a result has a mask, and more than one reader; an output is one."""
        return name in self._masked and self._readers[name] > 1

    def _copy(self, name: str) -> Place:
        """Return the place of a copy: Keras takes the masks off what an attention reads."""
        added = f"{name}_for_attention"
        call = {"args": [_tensor(self._places[name], self._types[name])], "kwargs": {}}
        if added not in self._entries:
            entry = keras_object("LeakyReLU", {"name": added, "negative_slope": 1.0})
            self._entries[added] = entry | {"name": added, "inbound_nodes": []}
        calls = self._entries[added]["inbound_nodes"]
        self._read[added, len(calls)] = [self._places[name]]
        calls.append(call)
        return Place(added, len(calls) - 1)

    def _is_operation(self, node: ModelNode) -> bool:
        """Return whether Keras must not use a layer, as it sees the mask of one of its inputs.

        In Keras these layers leave out masked numbers of one input; the operations do not.
        """
        masked = {each in self._masked for each in node.inputs}
        merges = isinstance(node.layer, (Maximum, Minimum, Multiply)) and len(node.inputs) == 2
        return merges and node.shares is None and len(masked) == 2

    def _masks(self, node: ModelNode, inputs: Sequence[str], last: str | None) -> dict[str, Any]:
        """Return the places of the masks of a call, by its arguments."""
        given = [self._explicit.get(each) for each in inputs]
        rank = 0 if last is None else self._types[last].rank
        found = arguments_for(node.layer, given, last, rank)
        replaced = found and ("value_mask" in found or isinstance(node.layer, ATTENTIONS[:2]))
        others = [x for x, mask in zip(inputs, given, strict=True) if mask is None]
        if found is None or (replaced and self._masked & set(others)):
            text = f"a mask given by hand that reaches {type(node.layer).__name__}"
            self._findings.add(self._at(node.name), text)
            return {}
        return {key: self._mask(value) for key, value in found.items()}

    def _mask(self, given: Any) -> Any:
        if isinstance(given, list):
            return [None if each is None else self._place(each, True) for each in given]
        return self._place(given, True)

    def _note(self, node: ModelNode, masks: dict[str, Any]) -> None:
        """Note what is known of the result of a call."""
        layer, name = node.layer, places_of(node)[0]
        if isinstance(layer, TRUTHS):
            self._truths.add(name)
        first = self._explicit.get(node.inputs[0])
        makes = isinstance(layer, Masking) or (isinstance(layer, Embedding) and layer.mask_zero)
        combines = isinstance(layer, (AbstractMerge, Concatenate, AbstractModel))
        carried = [each for each in node.inputs if each in self._masked]
        if "mask" in masks and goes_on(layer):
            self._masked.add(name)
        elif first is not None and goes_on(layer) and not isinstance(layer, READING):
            self._explicit[name] = first
        elif makes or (combines and carried) or (goes_on(layer) and node.inputs[0] in carried):
            self._masked.add(name)
        if isinstance(layer, Unmask):
            self._masked.discard(name)

    def _place(self, name: str, truth: bool = False) -> Place:
        """Return where a result is in Keras, as truths or as the numbers 1 and 0."""
        if self._types[name].dtype == "bool" or (name in self._truths) == truth:
            return self._places[name]
        wanted = "bool" if truth else "float32"
        added = f"{name}_as_{wanted}"
        if added not in self._places:
            place = self._places[name]
            entry = _operation("Cast", added, "core", dtype=wanted)
            call = {"args": [_tensor(place, self._types[name])], "kwargs": {}}
            self._entries[added] = entry | {"name": added, "inbound_nodes": [call]}
            self._read[added, 0], self._places[added] = [place], Place(added)
        return self._places[added]


def _operation(kind: str, name: str, part: str = "numpy", **config: Any) -> dict[str, Any]:
    """Return a serialised operation."""
    made = keras_object(kind, {"name": name, **config}, f"keras.src.ops.{part}")
    return made | {"registered_name": kind}


def _places(masks: dict[str, Any]) -> list[Place]:
    """Return the places among the arguments of a call, in order."""
    found: list[Place] = []
    for value in masks.values():
        each = [value] if isinstance(value, Place) else value
        found += [place for place in each if place is not None]
    return found


def _tensors(value: Any) -> Any:
    if isinstance(value, Place):
        return _tensor(value, TensorType((None,), "bool"))
    return [None if each is None else _tensors(each) for each in value]


def _written(
    layer: AbstractLayer, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any]:
    """Return a layer, or the operation that it is in Keras; nothing with a finding."""
    operation = write_operation(layer, name)
    return operation or write_layer(layer, name, shapes, path, findings) or {}


def _results(model: Model) -> list[Sequence[Value]]:
    """Return the results of each node, in order."""
    return [node.outputs for node in trace(model)[0].nodes if isinstance(node.op, Call)]


def _call(layer: AbstractLayer, tensors: list[Any], states: list[Any]) -> dict[str, Any]:
    """Return a call of a layer as Keras writes it."""
    arguments = arguments_of(layer, tensors)
    if arguments is not None:
        return {"args": arguments, "kwargs": {}}
    kwargs: dict[str, Any] = {"initial_state": states} if states else {}
    if isinstance(layer, ATTENTIONS) and len(tensors) == 1:
        tensors = tensors * 2  # Keras asks for the value
    if getattr(layer, "causal", False):
        kwargs["use_causal_mask"] = True
    if isinstance(layer, ReversibleEmbedding) and tensors[0]["config"]["dtype"] == "float32":
        kwargs["reverse"] = True
    several = isinstance(layer, AbstractModel) and len(tensors) > 1
    listed = isinstance(layer, LISTED) or several
    return {"args": [tensors] if listed else tensors, "kwargs": kwargs}


def _tensor(place: Place, type: TensorType) -> dict[str, Any]:
    config = {"shape": list(type.data_shape), "dtype": type.kind, "keras_history": list(place)}
    return {"class_name": "__keras_tensor__", "config": config}


def input_layer(name: str, type: Any, called: str, batch: int | None) -> dict[str, Any]:
    """Return the serialised input of a model."""
    config = {"batch_shape": [batch, *type.data_shape[1:]], "dtype": type.kind, "name": called}
    return keras_object("InputLayer", config)


def below(shapes: Shapes, name: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights of a layer, by their names in it."""
    start = f"{name}/"
    return {n.removeprefix(start): s for n, s in shapes.items() if n.startswith(start)}
