"""Layers that are operations of `keras.ops` in a Functional model of Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from dnnbridge import activations, layers
from dnnbridge.formats.keras.writing.activations import has_layer
from dnnbridge.formats.keras.writing.parts import fields_of, keras_object, plain
from dnnbridge.layers import AbstractLayer
from dnnbridge.layers.slicing import indices

ELEMENTWISE = {
    **{"abs": "Absolute", "exp": "Exp", "expm1": "Expm1", "log": "Log", "negative": "Negative"},
    **{"sign": "Sign", "sqrt": "Sqrt", "square": "Square", "erf": "Erf", "rsqrt": "Rsqrt"},
    **{"add": "Add", "divide": "TrueDivide", "maximum": "Maximum", "minimum": "Minimum"},
    **{"multiply": "Multiply", "power": "Power", "subtract": "Subtract"},
}
"""Keras' class of each operation."""

COMPARISONS = {
    **{"equal": "Equal", "not_equal": "NotEqual", "greater": "Greater", "less": "Less"},
    **{"greater_equal": "GreaterEqual", "less_equal": "LessEqual"},
}

LOGIC = {"and": "LogicalAnd", "or": "LogicalOr", "xor": "LogicalXor", "not": "LogicalNot"}

REDUCTIONS = {"sum": "Sum", "mean": "Mean", "max": "Max", "min": "Min"}

ACTIVATIONS: Mapping[type[activations.AbstractActivation], str] = {
    activations.CELU: "Celu",
    activations.GELU: "Gelu",
    activations.GLU: "Glu",
    activations.HardShrink: "HardShrink",
    activations.LogSoftmax: "LogSoftmax",
    activations.SoftShrink: "SoftShrink",
    activations.SquarePlus: "Squareplus",
    activations.Threshold: "Threshold",
}
"""Activations with arguments that are no layer of Keras."""

MODULES = {
    "Cast": "core",
    "Erf": "math",
    "Rsqrt": "math",
    **dict.fromkeys(ACTIVATIONS.values(), "nn"),
}
"""The part of `keras.src.ops` that has a class, where it is not "numpy"."""


def write_operation(layer: AbstractLayer, name: str) -> dict[str, Any] | None:
    """Return a serialised operation; None if the layer is no operation in Keras."""
    config: dict[str, Any] = {}
    if isinstance(layer, layers.Elementwise):
        kind = ELEMENTWISE[layer.operation]
    elif isinstance(layer, layers.Compare):
        kind = COMPARISONS[layer.operation]
    elif isinstance(layer, layers.PaddingMask):
        kind = "NotEqual"
    elif isinstance(layer, layers.Logical):
        kind = LOGIC[layer.operation]
    elif isinstance(layer, layers.Where):
        kind = "Where"
    elif isinstance(layer, layers.Unmask):
        kind = "Add"
    elif isinstance(layer, layers.Divide):
        kind = "TrueDivide"
    elif isinstance(layer, layers.MatMul):
        kind = "Matmul"
    elif isinstance(layer, layers.Slice):
        kind = "GetItem"
    elif isinstance(layer, layers.Cast):
        kind, config = "Cast", {"dtype": layer.dtype}
    elif isinstance(layer, layers.Reduce):
        kind, config = REDUCTIONS[layer.operation], {"axis": plain(layer.axis)}
        config["keepdims"] = layer.keepdims
    elif _is_activation(layer):
        kind = ACTIVATIONS[type(layer.activation)]
        config = {key: plain(value) for key, value in fields_of(layer.activation).items()}
    else:
        return None
    module = f"keras.src.ops.{MODULES.get(kind, 'numpy')}"
    return keras_object(kind, {"name": name, **config}, module) | {"registered_name": kind}


def _is_activation(layer: AbstractLayer) -> TypeGuard[layers.Activation]:
    """Return whether a layer is an activation that is an operation in Keras, and no layer."""
    if not isinstance(layer, layers.Activation) or has_layer(layer):
        return False
    return type(layer.activation) in ACTIVATIONS


def arguments_of(layer: AbstractLayer, tensors: Sequence[Any]) -> list[Any] | None:
    """Return the arguments of the call of an operation; None for a call of a layer."""
    if isinstance(layer, layers.Elementwise):
        numbers = [] if layer.number is None else [layer.number]
        return [*numbers, *tensors] if layer.number_first else [*tensors, *numbers]
    if isinstance(layer, layers.Unmask):
        return [*tensors, 0.0]
    if isinstance(layer, layers.Compare) and layer.number is not None:
        return [*tensors, layer.number]
    if isinstance(layer, layers.Where):
        condition, *rest = tensors
        given = iter(rest)
        return [condition, *(next(given) if n is None else n for n in (layer.x1, layer.x2))]
    if isinstance(layer, layers.PaddingMask):
        return [*tensors, layer.padding_idx]
    if isinstance(layer, layers.Slice):
        return [*tensors, [_item(each) for each in indices(layer.indices)]]
    return list(tensors) if write_operation(layer, "") is not None else None


def _item(item: Any) -> Any:
    """Return an index as Keras writes it."""
    if isinstance(item, slice):
        config = {"start": item.start, "stop": item.stop, "step": item.step}
        return {"class_name": "__slice__", "config": config}
    return {"class_name": "__ellipsis__", "config": {}} if item is ... else item
