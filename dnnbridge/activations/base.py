"""What an activation is: a spec that writes an equation of one value."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import PlainValidator

from dnnbridge.graph import Value
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec, named


class AbstractActivation(Spec):
    """Base of activations. A subclass defines `emit`; `alias` is its name in lower case."""

    @abstractmethod
    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the equation for an input of any shape; the result has the same shape."""


as_activation = named(AbstractActivation)

ActivationLike = Annotated[str | AbstractActivation, PlainValidator(as_activation)]
"""Field of an activation or the name of one."""
