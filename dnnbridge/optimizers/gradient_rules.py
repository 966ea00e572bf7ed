"""Rules that change the gradients of all weights before the optimizer sees them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import reduce
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Converted, PositiveFloat
from dnnbridge.specs.json_types import listed, of_kind, read_as
from dnnbridge.specs.spec import Spec, spec


class AbstractGradientRule(Spec):
    """Base of rules that change gradients. A subclass defines `emit`."""

    @abstractmethod
    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        """Write the new gradients, one per given gradient and with its shape.

        Args:
            gradients: the gradients of all weights that an optimizer moves.
            weights: these weights, in the same order.
        """


@spec
class ClipByValue(AbstractGradientRule):
    """Every element of a gradient clipped to [-limit, limit]

    Keras' `clipvalue`, MindSpore's `ops.clip_by_value`.

    Example:
        >>> ClipByValue(0.5).limit
        0.5
    """

    limit: PositiveFloat

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [ops.clip(g, -self.limit, self.limit) for g in gradients]


@spec
class ClipByNorm(AbstractGradientRule):
    """g · limit / max(‖g‖, limit) for the gradient g of each array separately

    Keras' `clipnorm`.

    Example:
        >>> ClipByNorm(1.0).limit
        1.0
    """

    limit: PositiveFloat

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [g * _factor(_squares(g), self.limit) for g in gradients]


@spec
class ClipByGlobalNorm(AbstractGradientRule):
    """g · limit / max(‖g‖, limit) with the norm of all gradients together (Pascanu et al., 2013)

    Keras' `global_clipnorm`, MindSpore's `ops.clip_by_global_norm`.

    Example:
        >>> ClipByGlobalNorm(1.0).to_dict()["kind"]
        'gradient_rule.ClipByGlobalNorm'
    """

    limit: PositiveFloat

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        factor = _factor(reduce(lambda a, b: a + b, map(_squares, gradients)), self.limit)
        return [g * factor for g in gradients]


def _squares(g: Value) -> Value:
    return ops.reduce_sum(ops.square(g), tuple(range(g.rank)))


@spec
class ScaleGradients(AbstractGradientRule):
    """factor · g; a factor of 1 / s does what `loss_scale=s` does in a MindSpore optimizer

    Example:
        >>> ScaleGradients(1 / 1024.0).factor
        0.0009765625
    """

    factor: PositiveFloat

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [self.factor * g for g in gradients]


@spec
class AdaptiveClip(AbstractGradientRule):
    """g · min(1, limit · max(‖p‖, ε) / ‖g‖), with one norm per unit (Brock et al., 2021)

    A unit computes one feature: an element of the last axis of a kernel. An array with one axis,
    such as a bias, is one unit. The authors' code has the same units.

    Args:
        limit: largest ratio of the norm of a gradient to that of its weights.
        epsilon: lower bound of the norm of weights, so that weights of 0 can change.

    Example:
        >>> AdaptiveClip().limit
        0.01
    """

    limit: PositiveFloat = 0.01
    epsilon: PositiveFloat = 1e-3

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [self._clipped(g, p) for g, p in zip(gradients, weights, strict=True)]

    def _clipped(self, g: Value, p: Value) -> Value:
        axes = tuple(range(max(g.rank - 1, min(g.rank, 1))))
        norms = (ops.sqrt(ops.reduce_sum(ops.square(x), axes)) for x in (g, p))
        of_g, of_p = norms
        most = self.limit * ops.maximum(of_p, self.epsilon)
        return g * (most / ops.maximum(of_g, most))


@spec
class CentralizeGradients(AbstractGradientRule):
    """g minus its mean per unit, for weights of two axes or more (Yong et al., 2020)

    A unit is an element of the last axis. MindSpore does this in a parameter group with
    `grad_centralization=True`; its kernel does not run on a CPU.

    Example:
        >>> CentralizeGradients()
        CentralizeGradients()
    """

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [
            g if g.rank < 2 else g - ops.reduce_mean(g, tuple(range(g.rank - 1))) for g in gradients
        ]


def _factor(squares: Value, limit: float) -> Value:
    return limit / ops.maximum(ops.sqrt(squares), limit)


def as_rules(value: Any) -> tuple[AbstractGradientRule, ...]:
    """Return one rule or several as a tuple."""
    given = (value,) if isinstance(value, AbstractGradientRule) else value
    if not isinstance(given, (list, tuple)) or not all(
        isinstance(rule, AbstractGradientRule) for rule in given
    ):
        raise SpecError(
            "expected rules for gradients",
            got=shorten(value),
            hint="Write [ClipByGlobalNorm(1.0)].",
        )
    return tuple(given)


RulesLike = Annotated[
    AbstractGradientRule | Sequence[AbstractGradientRule],
    PlainValidator(as_rules),
    read_as(listed(of_kind(AbstractGradientRule)), of_kind(AbstractGradientRule)),
]
"""Field of rules that are applied in order."""

RulesField = Converted[tuple[AbstractGradientRule, ...], RulesLike]
"""What the field holds after validation."""
