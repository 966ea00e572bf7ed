"""`KeepGradients`: gives the suite the gradients of a compiled step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import PlainValidator

from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.spec import spec

GRADIENT = "gradient"
"""Name of the slot."""


@spec
class KeepGradients(AbstractWrapper):
    """Wraps an optimizer and stores the latest gradient of each weight in a slot."""

    optimizer: Annotated[AbstractOptimizer, PlainValidator(instance_of(AbstractOptimizer))]

    @property
    def inner(self) -> AbstractOptimizer:
        return self.optimizer

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        updates.writes |= self.emit_inner(updates, weights).writes
        for weight in weights:
            name = f"{weight.name}:{GRADIENT}"
            updates.slot(name, weight.array.shape)
            updates.writes[name] = weight.gradient
