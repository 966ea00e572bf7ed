"""The masks of time steps that a Functional model of Keras writes into its calls.

Keras computes the mask of each result with operations of their own, and gives it to the next layer
as `mask=…`. Here layers find the mask of their input by themselves. So these operations are left
out, if the mask is the one that the layer finds; otherwise the mask is another input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dnnbridge.formats.keras.calls import KerasCall, Place, calls_of
from dnnbridge.formats.keras.settings import serialized
from dnnbridge.layers import (
    AbstractLayer,
    AbstractRecurrent,
    AdditiveAttention,
    Attention,
    Bidirectional,
    Concatenate,
    Embedding,
    Masking,
)
from dnnbridge.layers.merging import AbstractMerge

COMBINED = {"LogicalOr", "Any", "ExpandDims", "Concatenate", "ConvertToTensor", "Squeeze"}
"""Operations that make a mask of other masks."""

FULL = {"OnesLike", "ZerosLike"}
"""Operations that make a mask of nothing but a shape."""

ATTENTION_MASK = "attention_mask"
"""The argument of a call of an attention for a mask of pairs of queries and keys."""

OF_INPUTS = {"query_mask": 0, "value_mask": 1, "key_mask": 2}
"""The arguments for masks of single inputs, and the positions of these."""

MASKS = {"mask", ATTENTION_MASK, *OF_INPUTS}
"""All arguments of calls that are masks."""

Source = tuple[Place, float | None]
"""What a mask comes from: values, and the number that is padding; None if they are the mask."""


class Masks:
    """The masks in the calls of a model.

    Attributes:
        operations: names of the operations that only make masks.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._calls = {str(entry["name"]): calls_of(entry) for entry in entries}
        self._kinds = {str(entry["name"]): _kind(entry) for entry in entries}
        made = {name for place in self._given() for name in self._below(place)}
        self.operations = made - self._used_elsewhere(made)
        self._sources: dict[Place, frozenset[Source]] = {}

    def _given(self) -> Iterator[Place]:
        for calls in self._calls.values():
            for call in calls:
                if isinstance(mask := call.kwargs.get("mask"), Place):
                    yield mask

    def _below(self, place: Place) -> Iterator[str]:
        """Yield the operations that make the mask at a place."""
        kind = self._kinds.get(place.layer)
        if kind in COMBINED or kind in FULL or kind == "NotEqual":
            yield place.layer
            if kind in COMBINED:
                for each in self._calls[place.layer][place.call].places():
                    yield from self._below(each)

    def _used_elsewhere(self, made: set[str]) -> set[str]:
        """Return those operations whose results are not only masks."""
        used: set[str] = set()
        for name, calls in self._calls.items():
            for call in calls:
                rest = {key: value for key, value in call.kwargs.items() if key != "mask"}
                if name not in made:
                    used |= {place.layer for place in KerasCall(call.args, rest).places()} & made
        return used

    def words(self, place: Place) -> tuple[Place, int] | None:
        """Return the words that a mask says are real, and the number that is padding."""
        sources = self.sources(place)
        if self._kinds.get(place.layer) != "NotEqual" or len(sources) != 1:
            return None
        ((words, padding),) = sources
        if padding is None or not padding.is_integer():
            return None
        return words, int(padding)

    def roots(self, place: Place) -> Iterator[Place]:
        """Yield the values that must be known to make the mask at a place."""
        if place.layer not in self.operations:
            yield place
        else:
            for each in self._calls[place.layer][place.call].places():
                yield from self.roots(each)

    def sources(self, place: Place) -> frozenset[Source]:
        """Return what the mask at a place comes from: it alone if it is made in another way."""
        kind = self._kinds.get(place.layer)
        if kind in FULL:
            return frozenset()
        alone: Source = (place, None)
        if not kind:
            return frozenset({alone})
        call = self._calls[place.layer][place.call]
        if kind == "NotEqual" and len(call.args) == 2 and isinstance(call.args[0], Place):
            padding = call.args[1]
            return frozenset({(call.args[0], float(padding)) if _is_number(padding) else alone})
        if kind not in COMBINED:
            return frozenset({alone})
        return frozenset().union(*(self.sources(each) for each in call.places()))

    def found(self, places: Sequence[Place]) -> frozenset[Source]:
        """Return what the mask that a layer finds at its first input comes from."""
        return self._sources.get(places[0], frozenset()) if places else frozenset()

    def of_input(self, place: Place) -> frozenset[Source]:
        """Note that an input of the model has a mask, and return what it comes from."""
        return self._sources.setdefault(place, frozenset({(place, None)}))

    def note(
        self,
        result: Place,
        layer: AbstractLayer,
        places: Sequence[Place],
        explicit: Mapping[int, frozenset[Source]],
    ) -> None:
        """Note what the mask of a layer's result comes from.

        Args:
            result: of the call.
            layer: the layer here.
            places: of the inputs.
            explicit: masks that the call gives to inputs, by their positions.
        """
        given = [self._sources.get(place, frozenset()) for place in places]
        given = [explicit.get(i, each) for i, each in enumerate(given)]
        self._sources[result] = mask_of(result, layer, places, given)


def mask_of(
    result: Place,
    layer: AbstractLayer,
    places: Sequence[Place],
    given: Sequence[frozenset[Source]],
) -> frozenset[Source]:
    """Return what the mask of a layer's result comes from.

    Args:
        result: of the call.
        layer: the layer here.
        places: of the inputs.
        given: what their masks come from.
    """
    if isinstance(layer, Embedding) and layer.mask_zero:
        return frozenset({(places[0], 0.0)})
    if isinstance(layer, Masking):
        return frozenset({(places[0], layer.mask_value)})
    if layer.is_model and any(given):
        return frozenset({(result, 0.0)})  # unlike any mask: Keras loses it in its calls
    if isinstance(layer, AbstractMerge):
        return frozenset().union(*given) if all(given) else frozenset()
    if isinstance(layer, Concatenate):
        return frozenset().union(*given)
    return given[0] if given and _passes(layer) else frozenset()


def masks_of_inputs(kwargs: Mapping[str, Any]) -> dict[int, Place | None]:
    """Return the masks that a call gives to its inputs, by position; None takes a mask off."""
    given = kwargs.get("mask")
    if isinstance(given, list) and any(isinstance(each, Place) for each in given):
        return dict(enumerate(given))
    found: dict[int, Place | None] = {0: given} if isinstance(given, Place) else {}
    for name, position in OF_INPUTS.items():
        if isinstance(value := kwargs.get(name), Place):
            found[position] = value
    return found


def loses_mask(kwargs: Mapping[str, Any]) -> bool:
    """Return whether the result of a call has not the mask that the call gives its first input."""
    return isinstance(kwargs.get("query_mask"), Place)


def _passes(layer: AbstractLayer) -> bool:
    inner = layer.layer if isinstance(layer, Bidirectional) else layer
    if isinstance(inner, AbstractRecurrent):
        return inner.return_sequences
    return layer.passes_mask or isinstance(layer, (Attention, AdditiveAttention))


def _kind(entry: Mapping[str, Any]) -> str:
    found = serialized(entry)
    is_operation = str(entry.get("module", "")).startswith("keras.src.ops")
    return found.kind if found and is_operation else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
