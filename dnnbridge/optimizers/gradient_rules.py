"""What is done to the gradients of all weights together, before the optimizer sees them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Converted, PositiveFloat
from dnnbridge.specs.spec import Spec, spec


class AbstractGradientRule(Spec):
    """Base of rules that change gradients. A subclass defines `emit`."""

    @abstractmethod
    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        """Write the new gradients, one per given one and of its shape.

        Args:
            gradients: those of all weights that an optimizer moves.
            weights: these weights, in the same order.
        """


@spec
class ClipByValue(AbstractGradientRule):
    """Every element of a gradient kept within -limit and limit

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
    """g · limit / max(‖g‖, limit) for the gradient g of each array by itself

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
    """factor · g: with 1 / s what `loss_scale=s` does in an optimizer of MindSpore

    Example:
        >>> ScaleGradients(1 / 1024.0).factor
        0.0009765625
    """

    factor: PositiveFloat

    def emit(self, gradients: Sequence[Value], weights: Sequence[Value]) -> Sequence[Value]:
        return [self.factor * g for g in gradients]


@spec
class AdaptiveClip(AbstractGradientRule):
    """g · min(1, limit · max(‖p‖, ε) / ‖g‖), the norms unit by unit (Brock et al., 2021)

    A unit is what makes one feature, an element of the last axis of a kernel; an array of one axis,
    such as a bias, is one unit. As in the code of its authors.

    Args:
        limit: largest ratio of the norm of a gradient to that of its weights.
        epsilon: least norm of weights that is counted, so that zeros can leave 0.

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
    """g minus its mean, unit by unit, for weights of two axes or more (Yong et al., 2020)

    A unit is an element of the last axis. What `grad_centralization=True` means in a group of
    MindSpore's, whose kernel for it does not run on a CPU.

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
    """Return rules as they are given: one or several."""
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
    AbstractGradientRule | Sequence[AbstractGradientRule], PlainValidator(as_rules)
]
"""Field of rules that are applied in order."""

if TYPE_CHECKING:
    RulesField = Converted[tuple[AbstractGradientRule, ...], RulesLike]
else:
    RulesField = RulesLike
"""What it holds once it is made."""
