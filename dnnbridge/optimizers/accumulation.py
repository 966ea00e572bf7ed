"""Gradient accumulation: one update per window of several steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.optimizers.composed import AbstractWrapper
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.schedules.moment import Moment
from dnnbridge.specs.fields import Converted, PositiveInt, plain
from dnnbridge.specs.json_types import of_kind, read_as
from dnnbridge.specs.spec import Spec, spec

TOTAL = ":accumulated"
"""End of the name of an array that holds the sum of a window's gradients so far."""

LEAST = 1e-18
"""Divisor of a step in which no label counts: negligible beside a step with labels. If no step of
a window has labels, its penalties still count, as in a large batch without labels."""


@spec
class Accumulation(Spec):
    """Which steps make one update, and how their gradients are combined

    Args:
        steps: number of steps in a window.
        mean: "batch": Σ of the losses / Σ of their divisors. The update equals that of one large
            batch, whatever the number of real examples or labels in each step. "steps": the mean
            of the gradients of the steps, with equal weights, as in Keras and MindSpore.
        last: what to do with an incomplete window at the end of an epoch. "update": update with
            the steps so far, so that no gradient is left over. "carry": continue the window in
            the next epoch, as in Keras, or after the last epoch in the next `fit`.

    Example:
        >>> Accumulation(4)
        Accumulation(steps=4)
    """

    steps: PositiveInt
    mean: Literal["batch", "steps"] = "batch"
    last: Literal["update", "carry"] = "update"

    def ends(self, moment: Moment) -> bool:
        """Return whether a step is the last of its window."""
        if self.last == "carry":
            return (moment + 1) % self.steps == 0
        return moment.last or (moment.batch + 1) % self.steps == 0

    def before(self, moment: Moment) -> int:
        """Return how many windows have ended before a step."""
        return moment // self.steps if self.last == "carry" else moment.windows(self.steps)


def as_accumulation(value: Any) -> Accumulation:
    """Return an accumulation unchanged; turn a number of steps into one with the defaults."""
    value = plain(value)
    if isinstance(value, Accumulation):
        return value
    if type(value) is int and value > 0:
        return Accumulation(value)
    raise SpecError(
        "expected a positive number of steps, or an Accumulation",
        got=shorten(value),
        hint='Write 4, or Accumulation(4, mean="steps").',
    )


AccumulationLike = Annotated[
    int | Accumulation,
    PlainValidator(as_accumulation),
    read_as(of_kind(Accumulation), {"type": "integer", "minimum": 1}),
]
"""Field of an accumulation, or a number of steps."""

AccumulationField = Converted[Accumulation, AccumulationLike]
"""What the field holds after validation."""


@spec
class GradientAccumulation(AbstractWrapper):
    """One update per window of steps, from their combined gradients

    This processes a large batch in several steps. Weights and slots stay unchanged until the last
    step. The update is then that of the whole batch; `Accumulation` has other options. The inner
    optimizer counts updates, so a schedule advances once per window, as does the bias correction
    of Adam. A BatchNormalization uses the statistics of each step separately.

    With `gradient_accumulation_steps=n` a Keras optimizer takes the mean of the steps and continues
    a window past the end of an epoch. It counts updates for bias corrections, but batches for the
    rate: update k has the rate schedule(k · n + n - 1). For this rate write
    `Strided(schedule, n, n - 1)`.

    Args:
        optimizer: what makes the updates.
        steps: steps per update, or an `Accumulation`.

    Example:
        >>> from dnnbridge import SGD
        >>> GradientAccumulation(SGD(0.1), steps=2).host_scalars(step=1)
        {'apply': 1.0, 'inner.learning_rate': 0.1, 'inner.gain': 1.0}
    """

    waits = True

    steps: AccumulationField

    @property
    def window(self) -> Accumulation:
        return self.steps

    def scalars(self, step: int) -> dict[str, float]:
        return {"apply": float(self.window.ends(Moment.of(step)))}

    def inner_step(self, step: int) -> int:
        return self.window.before(Moment.of(step))

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        if not weights:
            return
        apply = ops.equal(updates.scalars["apply"], 1.0)
        share = updates.divisor() if self.window.mean == "batch" else 1.0
        if isinstance(share, Value):
            share = ops.maximum(share, LEAST)

        def kept(name: str, shape: tuple[int, ...], part: Value | float) -> Value:
            """Add a step's part to the total of the window, which is reset after the last step."""
            total = updates.slot(name, shape) + part
            updates.writes[name] = ops.where(apply, 0.0, total)
            return total

        def together(weight: Weight) -> Value:
            part = weight.gradient if share is None else weight.gradient * share
            return kept(f"{weight.name}{TOTAL}", weight.array.shape, part)

        totals = [together(weight) for weight in weights]
        inverse: Value | float = 1.0
        if share is not None:
            inverse = 1.0 / kept(f"{weights[0].name}:accumulated_divisor", (), share)
        mean = [replace(w, gradient=g * inverse) for w, g in zip(weights, totals, strict=True)]
        updates.only_if(apply, self.emit_inner(updates, mean), weights)
