"""Loss scaling: multiply the loss, so that small gradients do not underflow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.initializers import Constant
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.updates import Updates, Weight
from dnnbridge.specs.fields import Converted, PositiveFloat, PositiveInt, plain
from dnnbridge.specs.json_types import NULL, of_kind, read_as
from dnnbridge.specs.spec import Spec, spec

LARGEST = 3.4028234663852886e38
"""The largest float32."""

LARGEST_SCALE = 2.0**126
"""The largest scale: its inverse is the smallest float32 that no processor rounds to 0."""


class AbstractLossScale(Spec):
    """Base of loss scales. A subclass defines `begin` and `emit`.

    The reported loss is not scaled. Rules and optimizers see gradients that are not scaled. The
    class attribute `skips` says whether an update from infinite or NaN gradients is left out.
    """

    skips: ClassVar[bool] = False

    @abstractmethod
    def begin(self, updates: Updates) -> Value | float:
        """Return the factor of the loss, applied before differentiation."""

    @abstractmethod
    def emit(
        self,
        updates: Updates,
        optimizer: AbstractOptimizer,
        weights: Sequence[Weight],
    ) -> None:
        """Write the updates of an optimizer from gradients of the scaled loss."""


@spec
class FixedLossScale(AbstractLossScale):
    """Multiply the loss by `scale` and divide the gradients by it

    Same as MindSpore's `FixedLossScaleManager(scale)` with an optimizer's `loss_scale=scale`. A
    power of 2 changes no float32, unless a number leaves the range of float32.

    Example:
        >>> FixedLossScale(1024.0).scale
        1024.0
    """

    scale: PositiveFloat

    def __post_init__(self) -> None:
        _require_below(self.scale, "FixedLossScale.scale")

    def begin(self, updates: Updates) -> Value | float:
        return self.scale

    def emit(
        self,
        updates: Updates,
        optimizer: AbstractOptimizer,
        weights: Sequence[Weight],
    ) -> None:
        optimizer.emit(updates, _unscaled(weights, 1.0 / self.scale))


@spec
class DynamicLossScale(AbstractLossScale):
    """A scale that grows while gradients are finite; a step with infinite or NaN ones is skipped

    A skipped step leaves weights and slots unchanged, and divides the scale by `factor`. It still
    counts as a step for schedules and bias corrections. Same as `LossScaleOptimizer` in Keras and
    `DynamicLossScaleManager` in MindSpore (Micikevicius et al., 2018).

    Args:
        initial: the first scale: 2^15 in Keras, 2^24 in MindSpore.
        factor: the scale grows and shrinks by this factor; it does not grow beyond 2^126.
        growth_steps: finite steps in a row before the scale grows: 2000 in both frameworks.
        minimum: the smallest scale.

    Example:
        >>> DynamicLossScale().initial
        32768.0
    """

    skips: ClassVar[bool] = True

    initial: PositiveFloat = 2.0**15
    factor: PositiveFloat = 2.0
    growth_steps: PositiveInt = 2000
    minimum: PositiveFloat = 1.0

    def __post_init__(self) -> None:
        _require_below(self.initial, "DynamicLossScale.initial")
        if self.factor <= 1.0 or self.minimum > self.initial:
            raise SpecError(
                "factor must be above 1, and minimum at most initial",
                where="DynamicLossScale",
                got=f"factor {self.factor}, minimum {self.minimum}, initial {self.initial}",
            )

    def begin(self, updates: Updates) -> Value | float:
        return updates.slot("loss_scale:scale", (), Constant(self.initial))

    def emit(
        self,
        updates: Updates,
        optimizer: AbstractOptimizer,
        weights: Sequence[Weight],
    ) -> None:
        scale = updates.loss_factor
        assert isinstance(scale, Value)
        finite = _all_finite([weight.gradient for weight in weights])
        inner = replace(updates, writes={})
        optimizer.emit(inner, _unscaled(weights, 1.0 / scale))
        updates.only_if(finite, inner, weights)
        done = updates.slot("loss_scale:finite_steps", ()) + 1.0
        grow = ops.equal(done, float(self.growth_steps))
        grown = ops.minimum(scale * self.factor, LARGEST_SCALE)
        larger = ops.where(grow, grown, scale)
        smaller = ops.maximum(scale * (1.0 / self.factor), self.minimum)
        updates.writes["loss_scale:scale"] = ops.where(finite, larger, smaller)
        counted = ops.where(grow, 0.0, done)
        updates.writes["loss_scale:finite_steps"] = ops.where(finite, counted, 0.0)


def _require_below(scale: float, where: str) -> None:
    if scale > LARGEST_SCALE:
        raise SpecError(
            "must be at most 2^126", where=where, got=str(scale), hint="A common value is 2^15."
        )


def _unscaled(weights: Sequence[Weight], factor: Value | float) -> list[Weight]:
    return [replace(weight, gradient=weight.gradient * factor) for weight in weights]


def _all_finite(gradients: Sequence[Value]) -> Value:
    """Return whether all elements are finite; clipping changes those that are not."""
    sizes = (ops.abs(g) for g in gradients)
    finite = [ops.equal(ops.minimum(size, LARGEST), size) for size in sizes]
    bad = [ops.reduce_sum(ops.where(each, 0.0, 1.0), tuple(range(each.rank))) for each in finite]
    return ops.equal(reduce(add, bad), 0.0)


def as_loss_scale(value: Any) -> AbstractLossScale | None:
    """Return a loss scale unchanged; turn a number into a `FixedLossScale`."""
    value = plain(value)
    if value is None or isinstance(value, AbstractLossScale):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return FixedLossScale(float(value))
    raise SpecError(
        "expected a loss scale",
        got=shorten(value),
        hint="Write 1024.0, or DynamicLossScale().",
    )


LossScaleLike = Annotated[
    AbstractLossScale | float | None,
    PlainValidator(as_loss_scale),
    read_as(
        of_kind(AbstractLossScale),
        {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_SCALE},
        NULL,
    ),
]
"""Field of a loss scale; a number stands for a `FixedLossScale`."""

LossScaleField = Converted[AbstractLossScale | None, LossScaleLike]
"""What the field holds after validation."""
