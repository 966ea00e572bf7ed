"""What the arguments of a call in a configuration are."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.formats.keras.activation_operations import Operation
from dnnbridge.formats.keras.calls import KerasCall, Place
from dnnbridge.formats.keras.masks import ATTENTION_MASK, MASKS
from dnnbridge.layers import AbstractLayer, CenterCrop, Resizing, ReversibleEmbedding
from dnnbridge.layers.states import AbstractStates

FLAGS = {"use_causal_mask": "causal", ATTENTION_MASK: "masked"}
"""Arguments of calls that are fields of the layer here."""

WITHOUT_EFFECT = {"training", "return_attention_scores"} | MASKS
"""Arguments of calls that may be None or False."""

STATES = "initial_state"

ALWAYS_THE_SAME = (CenterCrop, Resizing)
"""Layers that Keras calls with training=True by default, which changes nothing."""


def takes(make: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Return whether an operation takes these arguments."""
    try:
        inspect.signature(make).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def is_empty(value: Any) -> bool:
    """Return whether an argument says nothing: None, False, or several of these."""
    if isinstance(value, (list, tuple, Mapping)) and not isinstance(value, Place):
        return all(map(is_empty, value.values() if isinstance(value, Mapping) else value))
    return not value


def is_input_argument(name: str) -> bool:
    return name in {"inputs", "query", "value", "key", "sequence", "sequences", "x"}


def is_known_argument(layer: AbstractLayer, key: str, value: Any) -> bool:
    """Return whether an argument of a call is read elsewhere, or says nothing."""
    return (
        value is None
        or key in FLAGS
        or is_input_argument(key)
        or (key in WITHOUT_EFFECT and is_empty(value))
        or (key == STATES and isinstance(layer, AbstractStates))
        or (key == "reverse" and isinstance(layer, ReversibleEmbedding))
        or (key == "training" and isinstance(layer, ALWAYS_THE_SAME))
    )


def inputs_of(call: KerasCall) -> dict[str, Any]:
    """Return the named inputs of a call, in the order in which a layer takes them."""
    order = ("inputs", "x", "sequence", "sequences", "query", "value", "key")
    return {name: call.kwargs[name] for name in order if call.kwargs.get(name) is not None}


def constants(args: Any) -> bool:
    """Return whether there are numbers among the arguments of a layer's call."""
    if isinstance(args, Place) or args is None or isinstance(args, bool):
        return False
    return any(map(constants, args)) if isinstance(args, (list, tuple)) else True
