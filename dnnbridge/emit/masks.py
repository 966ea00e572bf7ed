"""`CallMasks`: the masks of time steps that go into a call and come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dnnbridge.graph import Builder, Value

if TYPE_CHECKING:
    from dnnbridge.emit.scope import Scope


class CallMasks:
    """Masks of one call: its inputs keep theirs in the body, its results get theirs.

    A layer says with `mask_of` which mask its result has. In a model each layer inside says it.

    Attributes:
        count: number of results of the spec itself.
    """

    def __init__(self, emitter: Any, known: dict[Value, Value]) -> None:
        self._of = getattr(emitter, "mask_of", None)
        self._is_model = bool(getattr(emitter, "is_model", False))
        self._known = known
        self._outer: dict[int, Value] = {}
        self._inner: list[int] = []
        self.count = 0

    def enter(self, values: Sequence[Value], inputs: Sequence[Value]) -> None:
        """Give the inputs of the body the masks that the values have outside."""
        for outside, inside in zip(values, inputs, strict=False):  # states follow the values
            if outside in self._known:
                self._known[inside] = self._known[outside]

    def leave(self, body: Builder, outputs: Sequence[Value]) -> list[Value]:
        """Return the masks of a model's outputs that were made in its body, as further results."""
        self.count = len(outputs)
        if not self._is_model:
            return []
        found = {i: self._known[v] for i, v in enumerate(outputs) if v in self._known}
        self._inner = [i for i, mask in found.items() if mask.builder is body]
        self._outer = {i: mask for i, mask in found.items() if i not in self._inner}
        return [found[i] for i in self._inner]

    def give(
        self,
        scope: Scope,
        values: Sequence[Value],
        outputs: Sequence[Value],
        masks: Sequence[Value],
    ) -> None:
        """Give the results of the call their masks; `masks` are those that `leave` returned."""
        if self._is_model:
            made = self._outer | dict(zip(self._inner, masks, strict=True))
            for i, mask in made.items():
                scope.set_mask(outputs[i], mask)
        elif self._of is not None:
            scope.set_mask(outputs[0], self._of(scope, *values))
