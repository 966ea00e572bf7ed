"""`WeightRules`: an experiment's rules for weights, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

from pydantic import PlainValidator

from dnnbridge.emit.declarations import StateArray
from dnnbridge.specs.json_types import per_pattern, read_as
from dnnbridge.specs.patterns import by_pattern, check_patterns, check_rules, named_by, rule_for
from dnnbridge.weights.constraints import CONSTRAINT_FORMS, AbstractConstraint, as_constraint
from dnnbridge.weights.regularizers import REGULARIZER_FORMS, AbstractRegularizer, as_regularizer

FrozenStatistics = Literal["keep", "update"]
"""What a normalisation does if its running statistics match a pattern of frozen weights."""

Regularizers = Annotated[
    Mapping[str, AbstractRegularizer | str | None]
    | tuple[tuple[str, AbstractRegularizer | None], ...],
    PlainValidator(partial(by_pattern, each=as_regularizer)),
    read_as(per_pattern(*REGULARIZER_FORMS)),
]
"""Field of regularizers by patterns of names."""

Constraints = Annotated[
    Mapping[str, AbstractConstraint | str | None]
    | tuple[tuple[str, AbstractConstraint | None], ...],
    PlainValidator(partial(by_pattern, each=as_constraint)),
    read_as(per_pattern(*CONSTRAINT_FORMS)),
]
"""Field of constraints by patterns of names."""


@dataclass(frozen=True)
class WeightRules:
    """Rules by patterns of names; the first rule that fits a name replaces that of the layer.

    Attributes:
        frozen: patterns of the weights that do not move; "!…" removes names from them.
        frozen_statistics: "keep": running statistics that match a pattern are frozen too, and the
            layer normalises with them. "update": they are still updated.
        regularizers: pairs of pattern and regularizer.
        constraints: pairs of pattern and constraint.
    """

    frozen: tuple[str, ...] = ()
    frozen_statistics: FrozenStatistics = "keep"
    regularizers: tuple[tuple[str, AbstractRegularizer | None], ...] = ()
    constraints: tuple[tuple[str, AbstractConstraint | None], ...] = ()

    def moves(self, array: StateArray) -> bool:
        """Return whether the optimizer moves an array."""
        return array.trainable and not named_by(array.name, self.frozen)

    def statistics_frozen(self, name: str) -> bool:
        """Return whether a buffer of this name is not updated."""
        return self.frozen_statistics == "keep" and named_by(name, self.frozen)

    def regularizer_of(self, array: StateArray) -> AbstractRegularizer | None:
        """Return the regularizer of an array; frozen weights have none."""
        if not self.moves(array):
            return None
        return rule_for(array.name, self.regularizers, array.regularizer)

    def constrained(self, array: StateArray) -> StateArray:
        """Return the array with the constraint that applies to it."""
        return replace(array, constraint=rule_for(array.name, self.constraints, array.constraint))

    def check(self, arrays: Sequence[StateArray]) -> None:
        """Raise if a pattern fits no name."""
        weights = [array.name for array in arrays if array.trainable]
        check_patterns(self.frozen, [array.name for array in arrays], "frozen")
        check_rules([pattern for pattern, _ in self.regularizers], weights, "regularizers")
        check_rules([pattern for pattern, _ in self.constraints], weights, "constraints")
