"""Optimizers around an optimizer: what is done to gradients first, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.fields import PositiveInt
from dnnbridge.gradient_rules import AbstractGradientRule, RulesLike, as_rules
from dnnbridge.graph import Builder, Value
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.specification import spec
from dnnbridge.updates import Updates, Weight


@spec
class WithGradientRules(AbstractWrapper):
    """An optimizer that sees gradients after rules have changed them

    `Experiment(gradients=…)` makes one of its optimizer. By itself it gives a group of weights
    rules of their own.

    Args:
        optimizer: what moves the weights.
        rules: for all gradients that this optimizer gets together, in order.

    Example:
        >>> from dnnbridge import Adam, ClipByGlobalNorm
        >>> WithGradientRules(Adam(), ClipByGlobalNorm(1.0)).rules
        (ClipByGlobalNorm(limit=1.0),)
    """

    rules: RulesLike

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        values = [weight.value for weight in weights]
        given = [weight.gradient for weight in weights]
        for rule in as_rules(self.rules) if weights else ():
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


@spec
class GradientAccumulation(AbstractWrapper):
    """An update after every few steps, with the mean of their gradients

    A batch in several parts: weights and slots stay as they are until the last part is done. The
    inner optimizer counts updates, so a schedule moves on once in `steps` steps, as does the bias
    correction of Adam. Statistics of the batch, such as those of a BatchNorm, are of each part by
    itself.

    With `gradient_accumulation_steps=n` a Keras optimizer counts updates for bias corrections, but
    batches for the rate: that of update k is schedule(k · n + n - 1). Write
    `Strided(schedule, n, n - 1)` for it.

    Args:
        optimizer: what makes the updates.
        steps: gradients per update.

    Example:
        >>> from dnnbridge import SGD
        >>> GradientAccumulation(SGD(0.1), steps=2).host_scalars(step=1)
        {'apply': 1.0, 'inner.learning_rate': 0.1, 'inner.gain': 1.0}
    """

    waits = True

    steps: PositiveInt

    def scalars(self, step: int) -> dict[str, float]:
        return {"apply": float((step + 1) % self.steps == 0)}

    def inner_step(self, step: int) -> int:
        return step // self.steps

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        apply = ops.equal(updates.scalars["apply"], 1.0)
        mean = []
        for weight in weights:
            name = f"{weight.name}:accumulated"
            total = updates.slot(name, weight.array.shape) + weight.gradient
            updates.writes[name] = ops.where(apply, 0.0, total)
            mean.append(replace(weight, gradient=total * (1.0 / self.steps)))
        updates.only_if(apply, self.emit_inner(updates, mean), weights)
