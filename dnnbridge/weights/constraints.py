"""Constraints: sets of allowed weights; after an update, weights are projected into the set."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Self

from pydantic import Field, PlainValidator

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.calling import value_of
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Int, NonNegativeFloat, PositiveFloat
from dnnbridge.specs.json_types import NULL, by_name, of_kind, read_as
from dnnbridge.specs.resolving import named_or_none
from dnnbridge.specs.spec import Spec, spec

Axes = Int | tuple[Int, ...] | None
"""Axes of a norm; None: all axes but the last."""

Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A float in [0, 1]."""


class AbstractConstraint(Spec):
    """Base of constraints. A subclass defines `emit`, which is applied after every update.

    Keras applies constraints at the same place. Frozen weights stay unchanged.

    The classes below compute norms over `axis`. None means all axes but the last: one norm per
    unit of a `Dense` kernel, per filter of a convolution, and per element of a bias. Keras has
    axis 0, where the norms of a convolution are not those of its filters; `.keras()` has that
    default. Like Keras, these classes divide by the norm plus 1e-7 (`epsilon`). So weights that
    are already in the set shrink by a factor of 1e-7 / norm at every update.
    """

    @abstractmethod
    def emit(self, p: Value) -> Value:
        """Write the nearest allowed weights."""

    def __call__(self, p: Any) -> Array:
        """Return the array projected into the set, in float64.

        Example:
            >>> NonNeg()([-1.0, 2.0])
            array([0., 2.])
        """
        return value_of(lambda scope, given: self.emit(given), p, "p")


@spec
class MaxNorm(AbstractConstraint):
    """p · min(‖p‖, max_value) / (‖p‖ + ε), with one norm per unit (Srivastava et al., 2014)

    Args:
        max_value: the largest norm.
        axis: axes of a norm, as in `AbstractConstraint`.
        epsilon: ε.

    Example:
        >>> MaxNorm.keras(3.0).axis
        0
    """

    max_value: NonNegativeFloat = 2.0
    axis: Axes = None
    epsilon: PositiveFloat = 1e-7

    def emit(self, p: Value) -> Value:
        norm = _norm(p, self.axis)
        return p * (ops.minimum(norm, self.max_value) / (norm + self.epsilon))

    @classmethod
    def keras(cls, max_value: float = 2.0, axis: int | tuple[int, ...] = 0) -> Self:
        """Return `keras.constraints.MaxNorm` with these arguments."""
        return cls(max_value, axis)


@spec
class UnitNorm(AbstractConstraint):
    """p / (‖p‖ + ε), with one norm per unit

    Args:
        axis: axes of a norm, as in `AbstractConstraint`.
        epsilon: ε.

    Example:
        >>> UnitNorm().epsilon
        1e-07
    """

    axis: Axes = None
    epsilon: PositiveFloat = 1e-7

    def emit(self, p: Value) -> Value:
        return p / (_norm(p, self.axis) + self.epsilon)

    @classmethod
    def keras(cls, axis: int | tuple[int, ...] = 0) -> Self:
        """Return `keras.constraints.UnitNorm` with these arguments."""
        return cls(axis)


@spec
class NonNeg(AbstractConstraint):
    """max(p, 0)

    Example:
        >>> NonNeg().to_dict()
        {'kind': 'constraint.NonNeg'}
    """

    synonyms = ("non_negative",)

    def emit(self, p: Value) -> Value:
        return ops.maximum(p, 0.0)


@spec
class MinMaxNorm(AbstractConstraint):
    """p · n / (‖p‖ + ε) with n = rate · clip(‖p‖, min_value, max_value) + (1 - rate) · ‖p‖

    Args:
        min_value: the smallest norm; weights that are all 0 stay 0.
        max_value: the largest norm.
        rate: share of the distance to the limit that one update covers.
        axis: axes of a norm, as in `AbstractConstraint`.
        epsilon: ε.

    Example:
        >>> MinMaxNorm(0.5, 2.0).rate
        1.0
    """

    min_value: NonNegativeFloat = 0.0
    max_value: NonNegativeFloat = 1.0
    rate: Share = 1.0
    axis: Axes = None
    epsilon: PositiveFloat = 1e-7

    def __post_init__(self) -> None:
        if self.min_value > self.max_value:
            raise SpecError(
                "min_value is above max_value",
                where="MinMaxNorm",
                got=f"{self.min_value} and {self.max_value}",
                hint="Swap them.",
            )

    def emit(self, p: Value) -> Value:
        norm = _norm(p, self.axis)
        allowed = ops.clip(norm, self.min_value, self.max_value)
        wanted = self.rate * allowed + (1.0 - self.rate) * norm
        return p * (wanted / (norm + self.epsilon))

    @classmethod
    def keras(
        cls,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | tuple[int, ...] = 0,
    ) -> Self:
        """Return `keras.constraints.MinMaxNorm` with these arguments."""
        return cls(min_value, max_value, rate, axis)


def _norm(p: Value, axis: int | tuple[int, ...] | None) -> Value:
    axes = tuple(range(p.rank - 1)) if axis is None else axis
    return ops.sqrt(ops.reduce_sum(ops.square(p), axes, keepdims=True))


as_constraint = named_or_none(AbstractConstraint)

CONSTRAINT_FORMS = (of_kind(AbstractConstraint), by_name(AbstractConstraint), NULL)

ConstraintLike = Annotated[
    str | AbstractConstraint | None, PlainValidator(as_constraint), read_as(*CONSTRAINT_FORMS)
]
"""Field of a constraint, its name, or None."""
