"""Weight decay: decoupled (changes the weights) or coupled (changes the gradients)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.schedules import ConstantSchedule, ScheduleField, ScheduleLike, as_schedule
from dnnbridge.specs.fields import Bool, Converted, plain
from dnnbridge.specs.json_types import NOT_NEGATIVE, NULL, of_kind, read_as
from dnnbridge.specs.patterns import check_patterns, named_by
from dnnbridge.specs.spec import Spec, base_spec, spec

BIASES_AND_NORMS = ("*/bias", "*_bias", "*/beta", "*/gamma", "*/scale")
"""Weights that are commonly exempt: biases, and shift and scale of normalisations."""

MINDSPORE_EXEMPT = ("*beta*", "*gamma*")
"""Weights that MindSpore's optimizers do not decay, unless they are given in groups."""


@base_spec()
class AbstractWeightDecay(Spec):
    """Base of weight decays. A subclass defines `emit`, and `factor` if that is not the rate.

    Args:
        rate: a number or a schedule of the step.
        exempt: patterns of the weights that do not decay; "!…" removes names from them. MindSpore
            exempts names with beta or gamma, Keras none.
    """

    rate: ScheduleField
    exempt: tuple[str, ...] = ()

    @abstractmethod
    def emit(self, p: Value, g: Value, factor: Value) -> tuple[Value, Value]:
        """Write the weights and the gradient that the update receives."""

    def factor(self, step: int, learning_rate: Callable[[int], float]) -> float:
        """Return the host scalar of a step, for an optimizer with this learning rate."""
        return self.rate(step)

    def __post_init__(self) -> None:
        rate = self.rate
        if isinstance(rate, ConstantSchedule) and rate.value < 0.0:
            raise SpecError(
                "a weight decay must be 0 or more",
                where=f"{type(self).__name__}.rate",
                got=str(rate.value),
            )

    def check(self, names: Sequence[str]) -> None:
        """Raise if a pattern of `exempt`, other than the common ones, fits no weight."""
        own = [p for p in self.exempt if p not in (*BIASES_AND_NORMS, *MINDSPORE_EXEMPT)]
        check_patterns(own, names, "exempt")

    def applies(self, name: str) -> bool:
        """Return whether weights of this name decay."""
        return not named_by(name, self.exempt)


@spec
class DecoupledWeightDecay(AbstractWeightDecay):
    """p ← p - lr · rate · p before the update; g stays unchanged (Loshchilov & Hutter, 2019)

    Every Keras optimizer does this with `weight_decay`, and so does AdamW.

    Args:
        times_learning_rate: False leaves the learning rate out of the product.

    Example:
        >>> DecoupledWeightDecay(0.01).factor(step=0, learning_rate=ConstantSchedule(0.5))
        0.005
    """

    times_learning_rate: Bool = True

    def emit(self, p: Value, g: Value, factor: Value) -> tuple[Value, Value]:
        return p - factor * p, g

    def factor(self, step: int, learning_rate: Callable[[int], float]) -> float:
        rate = super().factor(step, learning_rate)
        return rate * learning_rate(step) if self.times_learning_rate else rate


@spec
class CoupledWeightDecay(AbstractWeightDecay):
    """g ← g + rate · p before the update: the gradient of rate / 2 · Σ p²

    Every MindSpore optimizer does this with `weight_decay`, and so do PyTorch's Adam and SGD.

    Example:
        >>> CoupledWeightDecay(0.01, exempt=BIASES_AND_NORMS).applies("dense/bias")
        False
    """

    def emit(self, p: Value, g: Value, factor: Value) -> tuple[Value, Value]:
        return p, g + factor * p


def mindspore_decay(
    rate: ScheduleLike, exempt: tuple[str, ...] = MINDSPORE_EXEMPT
) -> CoupledWeightDecay | None:
    """Return the decay of a MindSpore optimizer with `weight_decay=rate`; None for 0."""
    return None if as_schedule(rate) == ConstantSchedule(0.0) else CoupledWeightDecay(rate, exempt)


def as_weight_decay(value: Any) -> AbstractWeightDecay | None:
    """Return a weight decay unchanged; a number is the rate of a decoupled one, 0 means none."""
    value = plain(value)
    if value is None or isinstance(value, AbstractWeightDecay):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return DecoupledWeightDecay(float(value)) if value else None
    raise SpecError(
        "expected a weight decay",
        got=shorten(value),
        hint="Write DecoupledWeightDecay(0.01), CoupledWeightDecay(0.01), or a number.",
    )


WeightDecayLike = Annotated[
    AbstractWeightDecay | float | None,
    PlainValidator(as_weight_decay),
    read_as(of_kind(AbstractWeightDecay), NOT_NEGATIVE, NULL),
]
"""Field of a weight decay; a number stands for a decoupled one of all weights."""

WeightDecayField = Converted[AbstractWeightDecay | None, WeightDecayLike]
"""What the field holds after validation."""
