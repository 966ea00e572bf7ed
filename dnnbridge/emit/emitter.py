"""What a scope calls, and what its `emit` must return."""

from __future__ import annotations

from typing import Any, Protocol

from dnnbridge.errors import SpecError
from dnnbridge.graph import Value


class Emitter(Protocol):
    """Anything that writes an equation: a layer, activation, loss, metric or model."""

    @property
    def emit(self) -> Any:
        """(scope, *values) -> a value, or a tuple of them."""


def require_values(emitter: Emitter, path: str, outputs: Any) -> None:
    """Raise unless `emit` returned values."""
    if not isinstance(outputs, tuple) or not all(isinstance(v, Value) for v in outputs):
        raise SpecError(
            f"{type(emitter).__name__}.emit must return a value or a tuple of values",
            where=path,
            got=type(outputs).__name__,
            hint="Return what the operations returned.",
        )
