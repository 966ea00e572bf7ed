"""`updater`: the optimizer of an experiment and the wrappers around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbridge.errors import SpecError
from dnnbridge.optimizers import (
    AbstractOptimizer,
    AbstractWrapper,
    Accumulation,
    GradientAccumulation,
    WithGradientRules,
    as_accumulation,
)
from dnnbridge.optimizers.composed import waits_in
from dnnbridge.optimizers.gradient_rules import AbstractGradientRule
from dnnbridge.optimizers.loss_scale import AbstractLossScale, DynamicLossScale
from dnnbridge.optimizers.updates import Updates, Weight


class _Transparent(AbstractWrapper):
    """A wrapper that adds no host scalars: those of the inner optimizer keep their names."""

    def host_scalars(self, step: int) -> dict[str, float]:
        return self.optimizer.host_scalars(step)


@dataclass(frozen=True)
class _Constrained(_Transparent):
    """Applies the constraints after the weights have moved."""

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        self.optimizer.emit(updates, weights)
        for weight in weights:
            if weight.array.constraint is not None:
                updates.replaced(weight.array.constraint, weight)


@dataclass(frozen=True)
class _Unscaled(_Transparent):
    """Divides the gradients by the loss scale."""

    scale: AbstractLossScale

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        self.scale.emit(updates, self.optimizer, weights)


def updater(
    optimizer: AbstractOptimizer,
    rules: tuple[AbstractGradientRule, ...],
    loss_scale: AbstractLossScale | None,
    accumulate: int | Accumulation,
) -> AbstractOptimizer:
    """Return the optimizer with rules for gradients, constraints, loss scale and accumulation.

    They wrap the optimizer in this order, from the inside out. If the combined gradients of a
    window are not finite, the whole window is skipped. A weight is constrained after it has moved.
    """
    made = WithGradientRules(optimizer, rules) if rules else optimizer
    made = _Constrained(made)
    if loss_scale is not None:
        _check_windows(optimizer, loss_scale)
        made = _Unscaled(made, loss_scale)
    window = as_accumulation(accumulate)
    return GradientAccumulation(made, window) if window.steps > 1 else made


def _check_windows(optimizer: AbstractOptimizer, loss_scale: AbstractLossScale) -> None:
    if isinstance(loss_scale, DynamicLossScale) and waits_in(optimizer):
        raise SpecError(
            "DynamicLossScale would skip part of an accumulated update",
            where="loss_scale",
            got="GradientAccumulation in the optimizer",
            hint="Write Experiment(accumulate=…).",
        )
