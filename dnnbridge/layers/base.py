"""What a layer is: a spec that writes its equation over symbolic values."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from dnnbridge.graph import Value
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractLayer(Spec):
    """Base of layers. A subclass is decorated with `spec` and defines `emit`.

    Args:
        name: unique name in the model; by default the kind in snake case with a number from the
            second one on: dense, dense_1.
    """

    name: str | None = None

    @abstractmethod
    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the equation; declare parameters and random arrays through the scope."""
