"""Layers in the form in which Keras serialises them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations, layers
from dnnbridge.base.messages import shorten
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.layers import read_layer
from dnnbridge.formats.keras.settings import serialized
from dnnbridge.formats.keras.writing.activations import ACTIVATION_LAYERS, has_layer
from dnnbridge.formats.keras.writing.parts import fields_of, keras_object, plain, written_part
from dnnbridge.layers import AbstractLayer
from dnnbridge.layers.pooling import AbstractMaxPooling
from dnnbridge.specs.spec import Spec
from dnnbridge.weights.constraints import AbstractConstraint

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of weights, by their names in the layer."""

NOT_IN_KERAS = {
    *("unbiased", "count_include_pad", "padding_idx", "use_recurrent_bias", "shared", "masked"),
    "ceil_mode",
    *("output_kernel_initializer", "output_bias_initializer", "causal"),
}
"""Fields that no layer of Keras has: reading the layer back says whether their value matters."""

ONE_AXIS = {"Cropping1D", "SpatialDropout1D", "UpSampling1D"}
"""Layers without data_format in Keras."""

BORDERS = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
"""Layers whose padding is a number of zeros in Keras too."""

MODULES = {"LayerScale": "keras.src.applications.convnext"}
"""The module of each class that `keras.layers` lacks."""


def write_layer(
    layer: AbstractLayer, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    """Return a serialised layer; None if Keras has no such layer, with a finding.

    Args:
        layer: the layer here.
        name: its name.
        shapes: of its weights.
        path: for findings.
        findings: receives what cannot be written.
    """
    from dnnbridge.models import AbstractModel

    if isinstance(layer, AbstractModel):
        from dnnbridge.formats.keras.writing.models import write_model

        return write_model(layer, name, shapes, path, findings)
    padding = getattr(layer, "padding", "")
    if not isinstance(padding, str) and not isinstance(layer, BORDERS):
        instead = "" if isinstance(layer, AbstractMaxPooling) else ": put a ZeroPadding before it"
        findings.add(path, f"padding={padding}: Keras has 'valid' and 'same'{instead}")
        return None
    special = SPECIAL.get(type(layer))
    if special is not None:
        made = special(layer, name, shapes, path, findings)
    else:
        kind = type(layer).__name__
        module = MODULES.get(kind, "keras.layers")
        made = keras_object(kind, _config(layer, shapes), module)
        made["registered_name"] = kind if kind in MODULES else None
    if made is None:
        return None
    trained = {"trainable": True} if shapes else {}  # some layers without weights refuse it
    made["config"] = {"name": name, **trained, **made["config"]}
    return made if _is_read_back(made, _with_axes(layer, shapes), path, findings) else None


def _with_axes(layer: AbstractLayer, shapes: Shapes) -> AbstractLayer:
    """Return the layer with the axes of each constraint, which Keras needs, written out."""
    given = {}
    for name, value in fields_of(layer).items():
        if isinstance(value, AbstractConstraint) and getattr(value, "axis", 0) is None:
            axes = tuple(range((_rank(name, shapes) or 2) - 1))
            given[name] = value.replace(axis=axes if len(axes) > 1 else sum(axes))
    return layer.replace(**given) if given else layer


def _is_read_back(
    made: Mapping[str, Any], layer: AbstractLayer, path: str, findings: Findings
) -> bool:
    """Return whether reading gives the layer again, apart from what a call of it says."""
    found, problems = serialized(made), Findings()
    assert found is not None
    part = read_layer(found, path, problems)
    wanted = layer.replace(name=None)
    calls = {n: getattr(layer, n) for n in ("causal", "masked") if hasattr(layer, n)}
    if part is not None and part.layer.replace(name=None, **calls) == wanted:
        return True
    reason = f": {problems.found[0].what}" if problems.found else ""
    findings.add(path, f"{shorten(wanted, 120)} has no counterpart in Keras{reason}")
    return False


def _config(layer: Spec, shapes: Shapes) -> dict[str, Any]:
    config = {}
    for name, value in fields_of(layer).items():
        surplus = name == "data_format" and type(layer).__name__ in ONE_AXIS
        surplus |= name == "dilation_rate" and isinstance(layer, AbstractMaxPooling)
        if name != "name" and name not in NOT_IN_KERAS and not surplus:
            config[name] = written_part(value, _rank(name, shapes))
    return config


def _rank(name: str, shapes: Shapes) -> int | None:
    """Return the rank of the weight that a constraint is for: "kernel_constraint" of "kernel"."""
    word = name.removesuffix("_constraint")
    ranks = [len(shape) for weight, shape in shapes.items() if word in weight.split("/")[-1]]
    return max(ranks, default=None)


def _activation(
    layer: Any, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    value = layer.activation
    written = written_part(value)
    named = isinstance(written, str) and has_layer(layer)
    if named and not isinstance(value, activations.PReLU):
        return keras_object("Activation", {"activation": written})
    kind = ACTIVATION_LAYERS.get(type(value))
    if kind is None:
        findings.add(path, f"{shorten(layer, 120)} has no counterpart in Keras")
        return None
    config = {k: written_part(v) for k, v in fields_of(value).items() if k not in NOT_IN_KERAS}
    return keras_object(kind, config)


def _wrapped(
    layer: Any, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    below = {k.removeprefix("layer/"): shape for k, shape in shapes.items()}
    inner = write_layer(layer.layer, "layer", below, f"{path}/layer", findings)
    rest = {k: plain(v) for k, v in fields_of(layer).items() if k not in ("layer", "name")}
    return inner and keras_object(type(layer).__name__, {"layer": inner, **rest})


def _bidirectional(
    layer: Any, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    below = {k.partition("/")[2]: shape for k, shape in shapes.items()}
    sides = []
    turned = layer.layer.replace(go_backwards=not layer.layer.go_backwards)
    for side, each in (("forward", layer.layer), ("backward", turned)):
        sides.append(write_layer(each, side, below, f"{path}/{side}", findings))
    if None in sides:
        return None
    config = {"layer": sides[0], "backward_layer": sides[1], "merge_mode": layer.merge_mode}
    return keras_object("Bidirectional", config)


def _grouped(
    layer: Any, name: str, shapes: Shapes, path: str, findings: Findings
) -> dict[str, Any] | None:
    sizes = {shapes[f"{each}/kernel"][0] for each in ("query", "value")}
    if len(sizes) > 1:
        text = "GroupQueryAttention of queries and values with different numbers of features"
        findings.add(path, f"{text}, which Keras refuses")
        return None
    return keras_object(type(layer).__name__, _config(layer, shapes))


Writer = Callable[[Any, str, Shapes, str, Findings], dict[str, Any] | None]

SPECIAL: dict[type[AbstractLayer], Writer] = {
    layers.Activation: _activation,
    layers.GroupQueryAttention: _grouped,
    layers.TimeDistributed: _wrapped,
    layers.SpectralNormalization: _wrapped,
    layers.Bidirectional: _bidirectional,
}
"""Layers that are written in another way than by their class and fields."""
