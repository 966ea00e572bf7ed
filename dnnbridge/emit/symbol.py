"""What layers are called on, and what they give: a place in a model that has no numbers."""

from __future__ import annotations

from typing import Any


class AbstractSymbol:
    """Base of an `Input` and of what a layer gives."""

    def activated(self, activation: Any) -> Any:
        """Return what the layer of an activation gives when it is called on this."""
        raise NotImplementedError
