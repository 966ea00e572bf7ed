"""What a layer is: a spec that writes its equation over symbolic values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnnbridge.specification import Spec

if TYPE_CHECKING:
    from dnnbridge.models.base import Input


@dataclass(frozen=True, kw_only=True)
class AbstractLayer(Spec):
    """Base of layers. A subclass is decorated with `spec` and defines `emit`.

    Args:
        name: unique name in the model; by default the kind in snake case with a number from the
            second one on: dense, dense_1.
    """

    name: str | None = None

    @property
    @abstractmethod
    def emit(self) -> Any:
        """(scope, *inputs) -> a value: write the equation, declare arrays through the scope."""

    def __call__(self, *inputs: LayerOutput | Input | Sequence[LayerOutput | Input]) -> LayerOutput:
        """Call the layer on inputs or on what other layers gave, for a `Model`."""
        given: list[LayerOutput | Input] = []
        for each in inputs:
            given += each if isinstance(each, (list, tuple)) else [each]  # type: ignore[list-item]
        return LayerOutput(self, tuple(given))


class LayerOutput:
    """What a layer gives when it is called: a place in a `Model`, equal to itself alone.

    Attributes:
        layer: what was called.
        inputs: what it was called on.
        output: which of several outputs it is; `inputs` is then the call alone.
    """

    def __init__(
        self,
        layer: AbstractLayer,
        inputs: tuple[LayerOutput | Input, ...],
        output: str | None = None,
    ) -> None:
        self.layer, self.inputs, self.output = layer, inputs, output
