"""Optimizers that treat groups of weights differently, by their names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Annotated, Any, Self

from pydantic import PlainValidator

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.optimizers.base import AbstractOptimizer, ChangeOfRate
from dnnbridge.optimizers.composed import AbstractComposed
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.optimizers.wrappers import WithGradientRules
from dnnbridge.schedules import Scaled
from dnnbridge.specs.fields import plain
from dnnbridge.specs.json_types import of_kind, per_pattern, read_as
from dnnbridge.specs.patterns import by_pattern, check_rules, rule_for
from dnnbridge.specs.resolving import instance_of
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.specs.spec import spec


def _factor(value: Any) -> float:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0.0:
        raise SpecError(
            "expected a factor above 0",
            got=shorten(value),
            hint="To keep weights fixed, write Experiment(frozen=…).",
        )
    return float(value)


Groups = Annotated[
    Mapping[str, AbstractOptimizer] | tuple[tuple[str, AbstractOptimizer], ...],
    PlainValidator(partial(by_pattern, each=instance_of(AbstractOptimizer))),
    read_as(per_pattern(of_kind(AbstractOptimizer))),
]
"""Field of optimizers by patterns of names."""

Multipliers = Annotated[
    Mapping[str, float] | tuple[tuple[str, float], ...],
    PlainValidator(partial(by_pattern, each=_factor)),
    read_as(per_pattern({"type": "number", "exclusiveMinimum": 0})),
]
"""Field of factors by patterns of names."""


class AbstractGrouping(AbstractComposed):
    """Base of optimizers that give each weight to the first group that names it."""

    @abstractmethod
    def groups_of(self) -> tuple[tuple[str, AbstractOptimizer], ...]:
        """Return the optimizer of every group with its pattern."""

    def rates(self, step: int) -> dict[str, float]:
        """Return the learning rate of every group at a step."""
        return {pattern: optimizer.rate(step) for pattern, optimizer in self.groups_of()}

    def rate(self, step: int) -> float:
        raise SpecError(
            "each group has its own rate", where=type(self).__name__, hint="Call rates(step)."
        )

    @property
    def average(self) -> str | None:
        """Name of the slot that holds averages, if a group has one."""
        return next((o.average for _, o in self.groups_of() if o.average), None)

    def host_scalars(self, step: int) -> dict[str, float]:
        found: dict[str, float] = {}
        for key, (_, optimizer) in self._numbered:
            found |= self.under(key, optimizer.host_scalars(step))
        return found

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        members: dict[str, list[Weight]] = {}
        keyed = tuple((pattern, key) for key, (pattern, _) in self._numbered)
        for weight in weights:
            key = rule_for(weight.name, keyed, default="")
            if not key:
                raise SpecError(
                    "fits no group",
                    where=weight.name,
                    got=", ".join(pattern for pattern, _ in keyed),
                    hint='Add a group "*" for the rest.',
                )
            members.setdefault(key, []).append(weight)
        for key, (_, optimizer) in self._numbered:
            updates.writes |= self.part(updates, key, optimizer, members.get(key, [])).writes

    @cached_property
    def _numbered(self) -> tuple[tuple[str, tuple[str, AbstractOptimizer]], ...]:
        return tuple((f"group{i}", group) for i, group in enumerate(self.groups_of()))


@spec
class ParameterGroups(AbstractGrouping):
    """One optimizer per group of weights

    Args:
        groups: an optimizer per pattern of names, such as {"head/*": Adam(1e-3), "*": SGD(1e-4)}.
            A weight belongs to the first pattern that fits. A pattern that fits no weight is an
            error.

    Example:
        >>> from dnnbridge import SGD
        >>> ParameterGroups({"head/*": SGD(0.1), "*": SGD(0.01)}).rates(step=0)
        {'head/*': 0.1, '*': 0.01}
    """

    groups: Groups

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.groups_of():
            raise SpecError(
                "needs at least one group", where="groups", hint='Write {"*": SGD(0.1)}.'
            )

    def groups_of(self) -> tuple[tuple[str, AbstractOptimizer], ...]:
        return by_pattern(self.groups, instance_of(AbstractOptimizer))

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        check_rules([pattern for pattern, _ in self.groups_of()], updates.names, "ParameterGroups")
        super().emit(updates, weights)

    def with_rate(self, change: ChangeOfRate) -> Self:
        changed = tuple((pattern, each.with_rate(change)) for pattern, each in self.groups_of())
        return self.replace(groups=changed)


@spec
class LearningRateMultipliers(AbstractGrouping):
    """One optimizer with a multiplied learning rate for some weights

    Args:
        optimizer: what moves the weights.
        multipliers: a factor per pattern of names, such as {"body/*": 0.1}. Weights that fit no
            pattern have the optimizer's own rate.

    Example:
        >>> from dnnbridge import Adam
        >>> optimizer = LearningRateMultipliers(Adam(1e-3), {"body/*": 0.1})
        >>> sorted(optimizer.host_scalars(0))
        ['group0.alpha', 'group0.epsilon', 'group1.alpha', 'group1.epsilon']
    """

    optimizer: Annotated[AbstractOptimizer, PlainValidator(instance_of(AbstractOptimizer))]
    multipliers: Multipliers

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(isinstance(each, WithGradientRules) for each in specs_in(self.optimizer)):
            raise SpecError(
                "would apply the gradient rules to each group separately",
                where="optimizer",
                got="WithGradientRules inside",
                hint="Write WithGradientRules(LearningRateMultipliers(…), rules).",
            )

    def groups_of(self) -> tuple[tuple[str, AbstractOptimizer], ...]:
        def scaled(factor: float) -> AbstractOptimizer:
            return self.optimizer.with_rate(lambda rate: Scaled(rate, factor))

        pairs = by_pattern(self.multipliers, _factor)
        return (*((pattern, scaled(factor)) for pattern, factor in pairs), ("*", self.optimizer))

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        patterns = [pattern for pattern, _ in by_pattern(self.multipliers, _factor)]
        check_rules(patterns, updates.names, "LearningRateMultipliers")
        super().emit(updates, weights)

    def rate(self, step: int) -> float:
        return self.optimizer.rate(step)

    def with_rate(self, change: ChangeOfRate) -> Self:
        return self.replace(optimizer=self.optimizer.with_rate(change))
