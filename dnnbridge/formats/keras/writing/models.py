"""Models in the form in which Keras serialises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.calls import Place
from dnnbridge.formats.keras.stateful import CALLED_TWICE, carries_states
from dnnbridge.formats.keras.whole_numbers import reads_whole_numbers
from dnnbridge.formats.keras.writing.layers import Shapes, write_layer
from dnnbridge.formats.keras.writing.operations import arguments_of, write_operation
from dnnbridge.formats.keras.writing.order import keras_order
from dnnbridge.formats.keras.writing.parts import keras_object
from dnnbridge.graph import Call, TensorType, Value
from dnnbridge.layers import (
    AbstractLayer,
    AdditiveAttention,
    Attention,
    Cast,
    Concatenate,
    Dot,
    GroupQueryAttention,
    MultiHeadAttention,
    ReversibleEmbedding,
)
from dnnbridge.layers.merging import AbstractMerge
from dnnbridge.models import AbstractModel, Model, Sequential
from dnnbridge.models.functional import ModelNode, places_of
from dnnbridge.models.tracing import trace

LISTED = (AbstractMerge, Concatenate, Dot, Attention, AdditiveAttention)
"""Layers that Keras calls on a list of tensors."""

ATTENTIONS = (Attention, AdditiveAttention, GroupQueryAttention, MultiHeadAttention)


ON_SEVERAL = ATTENTIONS
"""Layers that Keras cannot call on one tensor."""


def write_model(
    model: AbstractModel, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    """Return a serialised model; None if it cannot be written, with findings."""
    before = len(findings.found)
    if isinstance(model, Sequential):
        made = _sequential(model, name, shapes, path, findings)
    elif isinstance(model, Model):
        made = _functional(model, name, shapes, path, findings)
    else:
        findings.add(path, f"a model of the class {type(model).__name__}")
        return None
    return made if len(findings.found) == before else None


def _sequential(
    model: Sequential, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any]:
    (given,) = model.input_types.items()
    layers = [_input(*given, f"{name}_input", model.batch_size)]
    named = list(model.named_layers())
    for i, (each, layer) in enumerate(named):
        following = [after for _, after in named[i + 1 : i + 2]]
        if isinstance(layer, Cast) and following and reads_whole_numbers(following[0], 0):
            continue  # Keras casts what such a layer gets, and has no layer that does
        where = f"{path}/{each}".lstrip("/")
        if isinstance(layer, ON_SEVERAL):
            findings.add(where, "attention in a Sequential: Keras calls it on several tensors")
        layers.append(write_layer(layer, each, below(shapes, each), where, findings) or {})
    return keras_object("Sequential", {"name": name, "trainable": True, "layers": layers}, "keras")


def _functional(
    model: Model, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any]:
    entries: dict[str, dict[str, Any]] = {}
    places: dict[str, Place] = {}
    inputs: dict[tuple[str, int], list[Place]] = {}
    shapes_of: dict[str, TensorType] = dict(model.input_types)
    for each, type in model.input_types.items():
        made = _input(each, type, each, model.batch_size)
        entries[each] = made | {"name": each, "inbound_nodes": []}
        places[each], inputs[each, 0] = Place(each), []
    types = _types(model)
    for node, results in zip(model.nodes, types, strict=True):
        owner = node.shares or node.name
        where = f"{path}/{node.name}".lstrip("/")
        if node.shares and carries_states(node.layer):
            findings.add(where, CALLED_TWICE)
        if node.shares is None:
            made = _written(node.layer, owner, below(shapes, owner), where, findings)
            entries[owner] = made | {"name": owner, "inbound_nodes": []}
        calls = entries[owner]["inbound_nodes"]
        for index, result in enumerate(places_of(node)):
            places[result] = Place(owner, len(calls), index)
            shapes_of[result] = results[index].type
        read = (*node.inputs, *node.initial_state)
        inputs[owner, len(calls)] = [places[each] for each in read]
        calls.append(_call(node, [_tensor(places[each], shapes_of[each]) for each in read]))
    outputs = [places[each] for each in model.output_names]
    config = {
        "name": name,
        "trainable": True,
        "layers": [entries[each] for each in keras_order(inputs, outputs)],
        "input_layers": [list(places[each]) for each in model.input_types],
        "output_layers": [list(place) for place in outputs],
    }
    return keras_object("Functional", config, "keras.src.models.functional")


def _written(
    layer: AbstractLayer, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any]:
    """Return a layer, or the operation that it is in Keras; nothing with a finding."""
    operation = write_operation(layer, name)
    return operation or write_layer(layer, name, shapes, path, findings) or {}


def _types(model: Model) -> list[Sequence[Value]]:
    """Return the results of each node, in order."""
    return [node.outputs for node in trace(model)[0].nodes if isinstance(node.op, Call)]


def _call(node: ModelNode, read: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a call of a layer as Keras writes it."""
    tensors, states = list(read[: len(node.inputs)]), list(read[len(node.inputs) :])
    arguments = arguments_of(node.layer, tensors)
    if arguments is not None:
        return {"args": arguments, "kwargs": {}}
    kwargs: dict[str, Any] = {"initial_state": states} if states else {}
    layer = node.layer
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
    config = {"shape": list(type.shape), "dtype": type.dtype, "keras_history": list(place)}
    return {"class_name": "__keras_tensor__", "config": config}


def _input(name: str, type: Any, called: str, batch: int | None) -> dict[str, Any]:
    config = {"batch_shape": [batch, *type.shape[1:]], "dtype": type.dtype, "name": called}
    return keras_object("InputLayer", config)


def below(shapes: Shapes, name: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights of a layer, by their names in it."""
    start = f"{name}/"
    return {n.removeprefix(start): s for n, s in shapes.items() if n.startswith(start)}


def set_trainable(model: Mapping[str, Any], still: Mapping[str, bool], path: str = "") -> None:
    """Set whether each layer of a serialised model is trained.

    Args:
        model: the serialised model, which is changed.
        still: whether a layer, by its path, is frozen as a whole.
        path: of the model.
    """
    for entry in model["config"].get("layers", ()):
        name = entry["config"].get("name", "")
        where = f"{path}/{name}".lstrip("/")
        if still.get(where):
            entry["config"]["trainable"] = False
        set_trainable(entry, still, where)
