"""Where weights may be: an update that leaves that set is projected back."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import PlainValidator

from dnnbridge.graph import Value
from dnnbridge.specification import Spec, named_or_none


class AbstractConstraint(Spec):
    """Base of constraints. A subclass defines `emit`, which is applied after every update."""

    @abstractmethod
    def emit(self, p: Value) -> Value:
        """Write the weights nearest to these that are allowed."""


as_constraint = named_or_none(AbstractConstraint)

ConstraintLike = Annotated[str | AbstractConstraint | None, PlainValidator(as_constraint)]
"""Field of a constraint, its name, or None."""
