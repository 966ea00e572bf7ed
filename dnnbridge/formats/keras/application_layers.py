"""Layers without weights that models of `keras.applications` define themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnbridge import layers
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.formats.keras.activation_operations import Config, Operation


def _scaled_sum(config: Config, inputs: Any) -> AbstractSymbol | None:
    """Return x + scale · y, the end of a block of InceptionResNetV2."""
    scale = config.get("scale")
    if not isinstance(inputs, list) or len(inputs) != 2 or not isinstance(scale, (int, float)):
        return None
    x, y = inputs
    return layers.Add()(x, layers.Rescaling(float(scale))(y))


OF_APPLICATIONS: Mapping[str, Operation] = {"CustomScaleLayer": _scaled_sum}
"""What each class computes, by Keras' name."""

MODULES = "keras.src.applications."
"""Beginning of the modules of these classes; a user's class may have the same name."""


def is_of_applications(entry: Mapping[str, Any], kind: str) -> bool:
    """Return whether an entry of a model is one of these layers."""
    return kind in OF_APPLICATIONS and str(entry.get("module", "")).startswith(MODULES)
