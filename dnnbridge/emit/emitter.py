"""What a scope calls, and what its `emit` must return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from dnnbridge.errors import DTypeError, SpecError
from dnnbridge.graph import Value
from dnnbridge.specs.rewriting import apart
from dnnbridge.specs.spec import Spec

if TYPE_CHECKING:
    from dnnbridge.emit.scope import Scope


class Emitter(Protocol):
    """Anything that writes an equation: a layer, activation, loss, metric or model."""

    @property
    def emit(self) -> Any:
        """(scope, *values) -> a value, or a tuple of them."""


def emitted(
    emitter: Emitter, scope: Scope, inputs: tuple[Value, ...], lists: Mapping[str, int]
) -> tuple[Value, ...]:
    """Return what an emitter makes of its inputs.

    Args:
        emitter: a spec is emitted as a copy in which every field has its own object.
        scope: the scope of the body.
        inputs: the inputs by position, then those of all lists.
        lists: the length of each argument that is a list, by name.
    """
    place, named = len(inputs) - sum(lists.values()), {}
    for name, length in lists.items():
        named[name] = inputs[place : place + length]
        place += length
    copy = apart(emitter) if isinstance(emitter, Spec) else emitter
    made = copy.emit(scope, *inputs[: len(inputs) - sum(lists.values())], **named)
    outputs = (made,) if isinstance(made, Value) else made
    require_values(emitter, scope.path, outputs)
    return tuple(outputs)


def require_values(emitter: Emitter, path: str, outputs: Any) -> None:
    """Raise unless `emit` returned values."""
    if not isinstance(outputs, tuple) or not all(isinstance(v, Value) for v in outputs):
        raise SpecError(
            f"{type(emitter).__name__}.emit must return a value or a tuple of values",
            where=path,
            got=type(outputs).__name__,
            hint="Return what the operations returned.",
        )


def refuse_text(emitter: Emitter, path: str, values: Iterable[Value]) -> None:
    """Raise if something else than a lookup or a model is called on an input of texts."""
    texts = [value for value in values if value.type.text]
    if texts and not getattr(emitter, "takes_text", False):
        raise DTypeError(
            f"{type(emitter).__name__} cannot be called on texts",
            where=path,
            got=str(texts[0].type),
            hint="Look them up first: StringLookup(…).adapt(texts)(input).",
        )
