"""Losses that compare distributions, counts and directions."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss, per_example
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import Bool, Int, OpenFraction, PositiveFloat
from dnnbridge.specs.spec import spec


@spec
class KLDivergence(AbstractLoss):
    """Σ y · log(y / p) over the last axis (Kullback & Leibler, 1951), the mean over the others

    Labels and predictions are distributions. `mindspore.nn.KLDivLoss` takes log p. By default it
    takes the mean over the last axis too; with reduction="batchmean" it is this loss.

    Args:
        from_logits: the prediction is logits, and p is their softmax, computed as a log-softmax.
        epsilon: y is clipped to [epsilon, 1], as in Keras; without logits p is, too.

    Example:
        >>> KLDivergence().target(TensorType((None, 10))).distribution
        True
    """

    alias = "kl_divergence"
    synonyms = ("kld",)

    from_logits: Bool = False
    epsilon: OpenFraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        if self.from_logits:
            log_p = ops.log_softmax(prediction)
        else:
            log_p = ops.log(ops.clip(prediction, self.epsilon, 1.0))
        y = ops.clip(target, self.epsilon, 1.0)
        return per_example(ops.reduce_sum(y * (ops.log(y) - log_p), -1))


@spec
class Poisson(AbstractLoss):
    """λ - y · log(λ + ε), the mean over all elements of an example

    The negative log-likelihood of counts y under Poisson distributions with mean λ, without the
    part that depends only on y. Labels are 0 or more.

    Args:
        log_input: the prediction is log λ, and the loss is exp(log λ) - y · log λ. Otherwise the
            prediction is λ and must be above -ε; for example, end the model with softplus.
        epsilon: ε, as in Keras; not used with log_input.

    Example:
        >>> Poisson.mindspore() == Poisson(log_input=True, epsilon=1e-8)
        True
    """

    log_input: Bool = False
    epsilon: OpenFraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, low=0.0)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        if self.log_input:
            return per_example(ops.exp(prediction) - target * prediction)
        return per_example(prediction - target * ops.log(prediction + self.epsilon))

    @classmethod
    def keras(cls) -> Self:
        """Return `keras.losses.Poisson`."""
        return cls()

    @classmethod
    def mindspore(cls, log_input: bool = True, eps: float = 1e-8) -> Self:
        """Return `mindspore.nn.PoissonNLLLoss` with these arguments."""
        return cls(log_input, eps)


@spec
class CosineSimilarity(AbstractLoss):
    """-Σ p · y / (‖p‖ ‖y‖) over an axis, from -1 to 1, the mean over the others

    `mindspore.nn.CosineEmbeddingLoss` with labels 1 is 1 plus this loss.

    Args:
        epsilon: least value of ‖p‖² and ‖y‖². The default matches Keras, where lengths are at
            least 1e-7. A vector of zeros gives 0. A vector longer than 1.8e19 gives 0 too, as its
            square overflows float32.
        axis: the axis of the vectors, except the batch.

    Raises:
        ShapeError: the axis is the batch or is not there.

    Example:
        >>> CosineSimilarity().epsilon
        1e-14
    """

    epsilon: PositiveFloat = 1e-14
    axis: Int = -1

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        scope.require(
            -prediction.rank < self.axis < prediction.rank and self.axis != 0,
            "axis must be an axis of the predictions other than the batch",
            got=f"axis={self.axis} of shape ({shape_text(prediction.shape)})",
        )
        p, y = self._unit(prediction), self._unit(target)
        return per_example(-ops.reduce_sum(p * y, self.axis))

    def _unit(self, x: Value) -> Value:
        squares = ops.reduce_sum(ops.square(x), self.axis, keepdims=True)
        return x / ops.sqrt(ops.maximum(squares, self.epsilon))
