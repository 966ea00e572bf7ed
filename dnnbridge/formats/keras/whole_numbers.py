"""Which layers read whole numbers. Keras casts what they get; here it must be int32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.formats.keras.calls import calls_of
from dnnbridge.layers import (
    AbstractLayer,
    Cast,
    Concatenate,
    Discretization,
    Embedding,
    Flatten,
    IntegerLookup,
    LayerOutput,
    Permute,
    RepeatVector,
    Reshape,
    ReversibleEmbedding,
    Slice,
    SpectralNormalization,
    StringLookup,
    TimeDistributed,
)
from dnnbridge.models import AbstractModel, Input

KEEPING = (Concatenate, Flatten, Permute, RepeatVector, Reshape, Slice)
"""Layers whose result has the dtype of their input."""


def reads_whole_numbers(layer: AbstractLayer, position: int, reverse: bool = False) -> bool:
    """Return whether a layer reads int32 at this position of its inputs.

    Args:
        layer: the layer here.
        position: of the input, from 0.
        reverse: whether Keras calls it with `reverse=True`.
    """
    if isinstance(layer, AbstractModel):
        types = list(layer.input_types.values())
        return position < len(types) and types[position].kind == "int32"
    if isinstance(layer, (SpectralNormalization, TimeDistributed)):
        return reads_whole_numbers(layer.layer, position)
    reading = (Embedding, IntegerLookup)
    return isinstance(layer, reading) or (isinstance(layer, ReversibleEmbedding) and not reverse)


def made_of(layer: AbstractLayer, given: str) -> str:
    """Return the dtype of the result of a layer, from that of its input."""
    if isinstance(layer, Cast):
        return layer.dtype
    if (
        isinstance(layer, (Discretization, IntegerLookup, StringLookup))
        and layer.output_mode == "int"
    ):
        return "int32"
    return given if isinstance(layer, KEEPING) else "float32"


def dtype_of_symbol(symbol: AbstractSymbol) -> str:
    """Return the dtype of an input or of the output of a layer."""
    through: list[AbstractLayer] = []
    while isinstance(symbol, LayerOutput) and symbol.inputs:
        through.append(symbol.layer)
        symbol = symbol.inputs[0]
    dtype: str = symbol.dtype if isinstance(symbol, Input) else "float32"
    for layer in reversed(through):
        dtype = made_of(layer, dtype)
    return dtype


def cast_values(
    layer: AbstractLayer, values: Sequence[AbstractSymbol], reverse: bool
) -> list[AbstractSymbol]:
    """Return the inputs of a call, with a cast before those that must be whole numbers."""
    return [
        Cast("int32")(value)
        if reads_whole_numbers(layer, i, reverse) and dtype_of_symbol(value) == "float32"
        else value
        for i, value in enumerate(values)
    ]


def with_casts(first: str, layers: Sequence[AbstractLayer]) -> list[AbstractLayer]:
    """Return layers that follow each other, with a cast before those that read whole numbers.

    Args:
        first: the dtype of the input of the first one.
        layers: one after the other.
    """
    made: list[AbstractLayer] = []
    dtype: str = first
    for layer in layers:
        if reads_whole_numbers(layer, 0) and dtype == "float32":
            made.append(Cast("int32"))
            dtype = "int32"
        made.append(layer)
        dtype = made_of(layer, dtype)
    return made


def read_as_whole_numbers(
    entries: Sequence[Mapping[str, Any]], layers: Mapping[str, AbstractLayer]
) -> set[str]:
    """Return the names of the layers whose results only layers of whole numbers read.

    Args:
        entries: the layers of a Functional model, as Keras writes them.
        layers: the layers here, by the names in Keras.
    """
    found: dict[str, set[bool]] = {}
    for entry in entries:
        layer = layers.get(str(entry["name"]))
        for call in calls_of(entry):
            reverse = bool(call.kwargs.get("reverse"))
            for i, place in enumerate(call.places()):
                whole = layer is not None and reads_whole_numbers(layer, i, reverse)
                found.setdefault(place.layer, set()).add(whole)
    return {name for name, kinds in found.items() if kinds == {True}}
