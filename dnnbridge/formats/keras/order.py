"""The order in which Keras keeps the layers of a Functional model, and runs its calls.

Files name the arrays of a layer by its class and its number among the layers of that class, so the
order decides which arrays a layer gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dnnbridge.formats.keras.calls import Place

Call = tuple[str, int]
"""A layer, and which of its calls, from 0."""


def keras_order(calls: Mapping[Call, Sequence[Place]], outputs: Sequence[Place]) -> list[str]:
    """Return the names of the layers in Keras' order: by depth, then as a walk meets them.

    The depth of a layer is the length of the longest path from it to an output. The walk goes from
    each output to its inputs, depth first.

    Args:
        calls: the inputs of each call; an input of the model has none.
        outputs: of the model.

    Example:
        >>> calls = {("x", 0): [], ("a", 0): [Place("x")], ("b", 0): [Place("x")]}
        >>> keras_order({**calls, ("sum", 0): [Place("b"), Place("a")]}, [Place("sum")])
        ['x', 'b', 'a', 'sum']
    """
    _, of_layers, met = _depths(calls, outputs)
    for layer, _ in calls:
        if layer not in of_layers:  # an input that no output needs
            of_layers[layer], met[layer] = 0, -1
    return sorted(of_layers, key=lambda layer: (-of_layers[layer], met[layer]))


def order_of_calls(calls: Mapping[Call, Sequence[Place]], outputs: Sequence[Place]) -> list[Call]:
    """Return the calls that outputs need, in the order in which Keras runs them.

    Example:
        >>> calls = {("x", 0): [], ("a", 0): [Place("x")], ("b", 0): [Place("a")]}
        >>> order_of_calls(calls, [Place("b")])
        [('x', 0), ('a', 0), ('b', 0)]
    """
    depths = _depths(calls, outputs)[0]
    return sorted(depths, key=lambda call: -depths[call])


def _depths(
    calls: Mapping[Call, Sequence[Place]], outputs: Sequence[Place]
) -> tuple[dict[Call, int], dict[str, int], dict[str, int]]:
    """Return the depths of calls and of layers, and when each layer was met first."""
    finished, met = _walk(calls, outputs)
    depths: dict[Call, int] = {}
    of_layers: dict[str, int] = {}
    for call in reversed(finished):
        depth = max(depths.setdefault(call, 0), of_layers.get(call[0], 0))
        depths[call] = of_layers[call[0]] = depth
        for place in calls[call]:
            before = (place.layer, place.call)
            depths[before] = max(depth + 1, depths.get(before, 0))
    return depths, of_layers, met


def _walk(
    calls: Mapping[Call, Sequence[Place]], outputs: Sequence[Place]
) -> tuple[list[Call], dict[str, int]]:
    """Return the calls, each after its inputs, and when each layer was met first."""
    finished: dict[Call, None] = {}
    met: dict[str, int] = {}
    for output in outputs:
        pending = [((output.layer, output.call), False)]
        while pending:
            call, is_done = pending.pop()
            if is_done:
                finished[call] = None
            elif call not in finished:
                met.setdefault(call[0], len(met))
                pending.append((call, True))
                below = [((place.layer, place.call), False) for place in calls[call]]
                pending += reversed(below)
    return list(finished), met
