"""The masks that Keras' layers find on their inputs while a Functional model runs.

A `MultiHeadAttention` takes the masks off its inputs: whatever runs after it finds none there. The
calls of the model do not show this, as they were written without running it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.formats.keras.call_arguments import inputs_of
from dnnbridge.formats.keras.calls import KerasCall, Place, calls_of
from dnnbridge.formats.keras.masks import Masks, Source, mask_of, masks_of_inputs
from dnnbridge.formats.keras.order import Call, order_of_calls
from dnnbridge.layers import (
    AbstractLayer,
    GroupQueryAttention,
    Maximum,
    Minimum,
    MultiHeadAttention,
    Multiply,
)
from dnnbridge.specs.rewriting import specs_in

READING_MASKS = (Maximum, Minimum, Multiply)
"""Layers that merge masked values; the operations of the same names do not read masks."""

FINDING = (MultiHeadAttention, GroupQueryAttention, *READING_MASKS)
"""Layers that find masks on their inputs; to others, calls give them."""


class RunTimeMasks:
    """Which inputs of attentions, and which outputs of a model, have a mask while it runs.

    Args:
        entries: the layers of the model, as Keras writes them.
        layers: the layers here, by the names in Keras.
        masks: what the masks in the calls come from.
        outputs: of the model.
    """

    def __init__(
        self,
        entries: Sequence[Mapping[str, Any]],
        layers: Mapping[str, AbstractLayer],
        masks: Masks,
        outputs: Sequence[Place],
    ) -> None:
        self._layers, self._masks = layers, masks
        self._there: dict[Place, frozenset[Source]] = {}
        self._found: dict[Call, list[bool]] = {}
        made = {(str(e["name"]), i): call for e in entries for i, call in enumerate(calls_of(e))}
        read = {name: call.places() for name, call in made.items()}
        inputs: dict[Call, list[Place]] = {
            (p.layer, p.call): [] for places in read.values() for p in places
        }
        for call in order_of_calls(inputs | read, outputs):
            if call in made:
                self._run(call, made[call])

    def _run(self, call: Call, given: KerasCall) -> None:
        layer = self._layers.get(call[0])
        if layer is None:
            return
        places = KerasCall(given.args, inputs_of(given)).places()
        there = [self._there.get(place, frozenset()) for place in places]
        self._found[call] = [bool(each) for each in there]
        for position, mask in masks_of_inputs(given.kwargs).items():
            if position < len(there) and not isinstance(layer, FINDING):
                there[position] = frozenset() if mask is None else self._masks.sources(mask)
        result = Place(*call)
        self._there[result] = mask_of(result, layer, places, there)
        if takes_masks_off(layer):
            for place in places:
                self._there.pop(place, None)

    def found(self, result: Place, position: int) -> bool:
        """Return whether a call finds a mask at one of its inputs."""
        found = self._found.get((result.layer, result.call), [])
        return position < len(found) and found[position]

    def of_output(self, place: Place) -> bool:
        """Return whether an output of the model has a mask at the end."""
        return bool(self._there.get(place))


def takes_masks_off(layer: AbstractLayer) -> bool:
    """Return whether Keras takes the masks off the inputs of a layer.

    Example:
        >>> takes_masks_off(MultiHeadAttention(2, 4)), takes_masks_off(GroupQueryAttention(4, 2, 1))
        (True, False)
    """
    return any(isinstance(each, MultiHeadAttention) for each in specs_in(layer))
