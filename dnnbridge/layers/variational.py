"""Sampling from a learned distribution."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.base.randomness import Normal
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import NonNegativeFloat
from dnnbridge.specs.spec import spec


@spec
class GaussianSampling(AbstractLayer):
    """mean + exp(log_variance / 2) · ε, with ε drawn from the standard normal

    The inputs are the mean and the logarithm of the variance, both of the same shape. Evaluation
    and prediction return the mean. In training and evaluation, kl_weight · KL is added to the loss.
    KL is the divergence from the standard normal, the mean over the examples of
    ½ Σ (exp(log_variance) + mean² - 1 - log_variance). (Kingma & Welling, "Auto-encoding
    variational Bayes", 2013)

    Args:
        kl_weight: factor of the divergence; 0 adds nothing.

    Example:
        >>> from dnnbridge import Dense, Input, Model
        >>> x = Input((8,))
        >>> Model(x, GaussianSampling()(Dense(2)(x), Dense(2)(x))).output_shape
        (None, 2)
    """

    kl_weight: NonNegativeFloat = 1.0

    def emit(self, scope: Scope, mean: Value, log_variance: Value) -> Value:
        scope.require(
            mean.type == log_variance.type,
            "mean and log_variance must have the same shape and dtype",
            got=f"{mean.type} and {log_variance.type}",
        )
        if self.kl_weight:
            terms = ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance
            divergence = 0.5 * ops.reduce_sum(terms, tuple(range(1, terms.rank)))
            scope.add_loss(self.kl_weight * divergence)
        if not scope.sampling:
            return mean
        return mean + ops.exp(0.5 * log_variance) * scope.random("noise", mean.shape, Normal())
