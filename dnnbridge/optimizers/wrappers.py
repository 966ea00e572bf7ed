"""`WithGradientRules`: changes the gradients before an inner optimizer sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dnnbridge.errors import SpecError
from dnnbridge.graph import Builder, Value
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.optimizers.gradient_rules import (
    AbstractGradientRule,
    RulesField,
)
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.specs.spec import spec


@spec
class WithGradientRules(AbstractWrapper):
    """An optimizer that sees gradients after rules have changed them

    `Experiment(gradients=…)` wraps its optimizer in this class. Use the class directly to give
    one group of weights separate rules.

    Args:
        optimizer: what moves the weights.
        rules: applied in order, to all gradients of this optimizer together.

    Example:
        >>> from dnnbridge import Adam, ClipByGlobalNorm
        >>> WithGradientRules(Adam(), ClipByGlobalNorm(1.0)).rules
        (ClipByGlobalNorm(limit=1.0),)
    """

    rules: RulesField

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        values = [weight.value for weight in weights]
        given = [weight.gradient for weight in weights]
        for rule in self.rules if weights else ():
            types = [g.type for g in given]

            def write(
                _: Builder, arguments: tuple[Value, ...], rule: AbstractGradientRule = rule
            ) -> Sequence[Value]:
                return rule.emit(arguments[: len(weights)], arguments[len(weights) :])

            given = updates.builder.call(rule, "gradients", [*given, *values], write)
            if [g.type for g in given] != types:
                raise SpecError(
                    f"{type(rule).__name__}.emit must keep the shapes of the gradients",
                    where="gradients",
                    got=", ".join(str(g.type) for g in given),
                )
        ruled = [replace(w, gradient=g) for w, g in zip(weights, given, strict=True)]
        updates.writes |= self.emit_inner(updates, ruled).writes
