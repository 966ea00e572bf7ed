"""Models in the form in which Keras serialises them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.whole_numbers import reads_whole_numbers
from dnnbridge.formats.keras.writing.functional import (
    ATTENTIONS,
    FunctionalWriter,
    below,
    input_layer,
)
from dnnbridge.formats.keras.writing.layers import Shapes, write_layer
from dnnbridge.formats.keras.writing.parts import keras_object
from dnnbridge.layers import Cast
from dnnbridge.models import AbstractModel, Model, Sequential

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
        made = FunctionalWriter(model, path, findings).write(name, shapes)
    else:
        findings.add(path, f"a model of the class {type(model).__name__}")
        return None
    return made if len(findings.found) == before else None


def _sequential(
    model: Sequential, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any]:
    (given,) = model.input_types.items()
    layers = [input_layer(*given, f"{name}_input", model.batch_size)]
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
