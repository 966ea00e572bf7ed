"""Batch normalisation."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, InitializerLike, Ones, Zeros
from dnnbridge.layers.affine import along, rescaled
from dnnbridge.layers.masking import as_steps
from dnnbridge.layers.weights import WithGammaAndBeta
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Bool, Fraction, Int, PositiveFloat, default
from dnnbridge.specs.spec import spec


@spec
class BatchNormalization(WithGammaAndBeta):
    """gamma · (x - mean) / √(variance + epsilon) + beta, for each feature

    In training, mean and biased variance are computed from the real examples of the batch, over
    all axes except `axis`. The gradient flows through both. The running statistics are updated by
    moving ← momentum · moving + (1 - momentum) · batch. Evaluation and prediction use them. A batch
    with one element per feature gives beta and a variance of 0. Steps that the mask of x leaves out
    (see `Masking`) are not in the statistics of a batch. A layer that is called several times
    updates its running statistics at each call. (Ioffe & Szegedy, 2015)

    Args:
        axis: the feature axis.
        momentum: share of the running statistics kept at a step, as in both frameworks.
        epsilon: added to the variance, inside the square root.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        unbiased: whether to update the running variance with n / (n - 1) times the variance, as in
            MindSpore. n is the number of real elements of a feature; the factor for n = 1 is 1.
        beta_initializer: initializer of beta.
        gamma_initializer: initializer of gamma.
        beta_regularizer: penalty on beta; likewise gamma_regularizer.
        beta_constraint: constraint on beta after each update; likewise gamma_constraint.

    Example:
        >>> ours, theirs = BatchNormalization(), BatchNormalization.mindspore()
        >>> ours.momentum, theirs.momentum
        (0.99, 0.9)
    """

    axis: Int = -1
    momentum: Fraction = 0.99
    epsilon: PositiveFloat = 1e-3
    center: Bool = True
    scale: Bool = True
    unbiased: Bool = False
    beta_initializer: InitializerField = default("zeros")
    gamma_initializer: InitializerField = default("ones")

    passes_mask: ClassVar[bool] = True
    keeps_float32: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = normal_axes(x, self.axis)
        scope.require(
            x.rank >= 2 and axes != (0,),
            "BatchNormalization needs a feature axis besides the batch",
            got=f"axis {self.axis} of shape ({shape_text(x.shape)})",
            hint="Give every example a feature axis, and set axis to it.",
        )
        features = [x.shape[axes[0]]]
        mean = scope.buffer("moving_mean", features, Zeros())
        variance = scope.buffer("moving_variance", features, Ones())
        kept = [scope.frozen(name) for name in ("moving_mean", "moving_variance")]
        scope.require(
            kept[0] == kept[1],
            "freeze both running statistics or neither",
            got="one of them in frozen",
            hint="Write frozen=[…, 'name/moving_*'].",
        )
        if scope.training and not kept[0]:
            distance, variance = self._statistics(scope, x, axes, mean, variance)
        else:
            distance = x - along(x, axes, mean)
        factor = 1.0 / ops.sqrt(variance + self.epsilon)  # cheaper than dividing all of x
        return rescaled(scope, distance, axes, self, factor)

    def _statistics(
        self, scope: Scope, x: Value, axes: tuple[int, ...], moving_mean: Value, moving_var: Value
    ) -> tuple[Value, Value]:
        """Return distances to the mean, and the variance; update the running statistics."""
        others = tuple(i for i in range(1, x.rank) if i not in axes)
        mask = scope.mask(x)
        elements = _All(scope, others) if mask is None else _Real(scope, others, x, mask)
        mean = elements.mean(x)
        distance = x - along(x, axes, mean)
        variance = elements.mean(ops.square(distance))
        kept, new = self.momentum, 1.0 - self.momentum
        followed = variance
        if self.unbiased:
            n = elements.count(x)
            followed = variance * (n / ops.maximum(n - 1.0, 1.0))
        scope.update("moving_mean", kept * moving_mean + new * mean)
        scope.update("moving_variance", kept * moving_var + new * followed)
        return distance, variance

    @classmethod
    def mindspore(
        cls,
        eps: float = 1e-5,
        momentum: float = 0.9,
        affine: bool = True,
        gamma_init: InitializerLike = "ones",
        beta_init: InitializerLike = "zeros",
    ) -> Self:
        """Return `mindspore.nn.BatchNorm1d`, `2d` and `3d` with these arguments.

        MindSpore has the features in axis 1. Here they are in the last axis, as in every layer.
        """
        return cls(-1, momentum, eps, affine, affine, True, beta_init, gamma_init)


class _All:
    """Means over all elements of the real examples, for each feature."""

    def __init__(self, scope: Scope, others: tuple[int, ...]) -> None:
        self._scope, self._others = scope, others

    def mean(self, x: Value) -> Value:
        return self._scope.batch_mean(ops.reduce_mean(x, self._others))

    def count(self, x: Value) -> Value:
        """Return the number of elements of a feature."""
        sizes = (self._scope.known(x.shape[i], "n") for i in self._others)
        return self._scope.batch_size() * math.prod(sizes)


class _Real(_All):
    """The same over the steps that a mask leaves in; 0 if there are none."""

    def __init__(self, scope: Scope, others: tuple[int, ...], x: Value, mask: Value) -> None:
        super().__init__(scope, others)
        self._real = ops.broadcast_to(as_steps(scope, mask, x), x.shape)
        self._count = self._sum(self._real)

    def mean(self, x: Value) -> Value:
        real = ops.where(self._real > 0.5, x, 0.0)
        return self._sum(real) / ops.maximum(self._count, 1.0)

    def count(self, x: Value) -> Value:
        return self._count

    def _sum(self, x: Value) -> Value:
        return self._scope.batch_sum(ops.reduce_sum(x, self._others))
