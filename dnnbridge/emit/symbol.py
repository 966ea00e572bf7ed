"""Symbolic inputs and outputs of layers: places in a model, without numbers."""

from __future__ import annotations

from typing import Any


class AbstractSymbol:
    """Base of an `Input` and of a layer's output."""

    def activated(self, activation: Any) -> Any:
        """Return the output of an activation layer called on this."""
        raise NotImplementedError
