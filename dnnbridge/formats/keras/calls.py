"""The calls in the configuration of a Functional model, as Keras 3 and Keras 2 write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dnnbridge.formats.keras.settings import serialized


class Place(NamedTuple):
    """One result of one call of a layer.

    Attributes:
        layer: the name of the layer.
        call: which of its calls, from 0.
        output: which of the results of the call, from 0.
    """

    layer: str
    call: int = 0
    output: int = 0


class KerasCall(NamedTuple):
    """The arguments of a call; each tensor is a `Place`."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def places(self) -> list[Place]:
        """Return all tensors, in order."""
        return [*_places(self.args), *_places(list(self.kwargs.values()))]


def calls_of(layer: Mapping[str, Any]) -> list[KerasCall]:
    """Return the calls of a layer, in order."""
    return [_call(node) for node in layer.get("inbound_nodes", [])]


def _call(node: Any) -> KerasCall:
    if isinstance(node, Mapping):
        args = tuple(_with_places(each) for each in node.get("args", ()))
        return KerasCall(args, {k: _with_places(v) for k, v in node.get("kwargs", {}).items()})
    # Keras 2: [["name", 0, 0, {…}], …], where all tensors are one argument.
    places = [Place(*each[:3]) for each in node]
    kwargs = node[0][3] if node and len(node[0]) > 3 else {}
    named = {key: _place_or_value(value) for key, value in kwargs.items()}
    return KerasCall((places[0] if len(places) == 1 else places,), named)


def _place_or_value(value: Any) -> Any:
    """Read an argument of Keras 2: ["name", 0, 0] is a tensor."""
    is_place = isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)
    return Place(*value) if is_place else value


def _with_places(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_places(each) for each in value]
    found = serialized(value)
    if found and found.kind == "__keras_tensor__":
        return Place(*found.config["keras_history"])
    return value


FUNCTIONAL = ("Functional", "Model")
"""Classes of Functional models, in Keras 3 and Keras 2."""


def outputs_of(outputs: Any, layers: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Return the outputs of a Functional model.

    In this list Keras counts the calls of Functional models inside from 1.

    Args:
        outputs: as Keras writes them.
        layers: of the model.

    Example:
        >>> outputs_of(["body", 1, 0], [{"name": "body", "class_name": "Functional"}])
        [Place(layer='body', call=0, output=0)]
    """
    models = {str(each["name"]) for each in layers if each.get("class_name") in FUNCTIONAL}
    return [
        place._replace(call=place.call - 1) if place.layer in models and place.call else place
        for place in places_in(outputs)
    ]


def with_calls_from_0(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return layers whose calls count the calls of Functional models inside from 0.

    Keras 2 counts them from 1, also in the calls of other layers.

    Example:
        >>> inner = {"name": "inner", "class_name": "Functional", "inbound_nodes": []}
        >>> last = {"name": "last", "inbound_nodes": [[["inner", 1, 0, {}]]]}
        >>> calls_of(with_calls_from_0([inner, last])[1])[0].args
        (Place(layer='inner', call=0, output=0),)
    """
    models = {str(each["name"]) for each in layers if each.get("class_name") in FUNCTIONAL}

    def lowered(node: Any) -> Any:
        if isinstance(node, Mapping):
            return node
        return [
            [each[0], each[1] - 1, *each[2:]] if each[0] in models and each[1] else each
            for each in node
        ]

    return [
        {**layer, "inbound_nodes": [lowered(node) for node in layer.get("inbound_nodes", [])]}
        for layer in layers
    ]


def _places(value: Any) -> Iterator[Place]:
    if isinstance(value, Place):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _places(each)


def shapes_of_call(layer: Mapping[str, Any]) -> list[list[int | None]] | None:
    """Return the shapes of the tensors of the first call of a layer, without the batch."""
    nodes = layer.get("inbound_nodes") or [{}]
    found = [s for value in _dicts(nodes[0]) if (s := value.get("config", {}).get("shape"))]
    return [list(shape[1:]) for shape in found] or None


def _dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the tensors in the arguments of a call."""
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _dicts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _dicts(each)


def places_in(value: Any) -> list[Place]:
    """Read `input_layers` or `output_layers`: one place, a list, or a dictionary of them.

    Example:
        >>> places_in(["dense", 0, 0]) == places_in([["dense", 0, 0]]) == [Place("dense")]
        True
    """
    if isinstance(value, Mapping):
        return [place for each in value.values() for place in places_in(each)]
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [Place(*value)]
    return [place for each in value for place in places_in(each)]
