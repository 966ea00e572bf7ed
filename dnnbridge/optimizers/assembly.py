"""`updater`: the optimizer of an experiment, and what is around it in every step."""

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
    """A wrapper without host scalars of its own: those of the inner one keep their names."""

    def host_scalars(self, step: int) -> dict[str, float]:
        return self.optimizer.host_scalars(step)


@dataclass(frozen=True)
class _Constrained(_Transparent):
    """Puts weights back where they may be, after all that has moved them."""

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        self.optimizer.emit(updates, weights)
        for weight in weights:
            if weight.array.constraint is not None:
                updates.replaced(weight.array.constraint, weight)


@dataclass(frozen=True)
class _Unscaled(_Transparent):
    """Takes the scale of the loss out of the gradients."""

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

    In that order from the inside out: a window of gradients that are not finite together is left
    out as a whole, and a weight is constrained when it has moved.
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
            "a step that is left out would leave a part out of an update",
            where="loss_scale",
            got="GradientAccumulation in the optimizer",
            hint="Write Experiment(accumulate=…).",
        )
