"""Layers that carry states from batch to batch (`stateful=True`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnbridge.layers import AbstractLayer, AbstractRecurrent
from dnnbridge.specs.rewriting import specs_in

CALLED_TWICE = (
    "a second call of a layer with stateful=True: Keras does not say which call comes first"
)


def carries_states(layer: AbstractLayer) -> bool:
    """Return whether a layer carries states, or holds one that does.

    Example:
        >>> from dnnbridge import LSTM, Bidirectional
        >>> carries_states(Bidirectional(LSTM(4, stateful=True)))
        True
    """
    return any(isinstance(each, AbstractRecurrent) and each.stateful for each in specs_in(layer))


def says_stateful(config: Any) -> bool:
    """Return whether a layer in a configuration of Keras carries states.

    Example:
        >>> says_stateful({"layers": [{"config": {"units": 4, "stateful": True}}]})
        True
    """
    if isinstance(config, Mapping):
        return config.get("stateful") is True or any(map(says_stateful, config.values()))
    return isinstance(config, (list, tuple)) and any(map(says_stateful, config))
