"""Cross-entropies over classes in the last axis."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.fields import Bool, Fraction, NonNegativeFloat, OpenFraction
from dnnbridge.graph import TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss, Target, per_example, power
from dnnbridge.scope import Scope
from dnnbridge.specification import spec


@spec
class SparseCategoricalCrossEntropy(AbstractLoss):
    """-log p[label], for labels that are class numbers

    Args:
        from_logits: the prediction is logits and p their softmax (computed as a log-softmax,
            exact for any gap). Otherwise the prediction is p.
        epsilon: without logits, p is clipped to [epsilon, 1 - epsilon], as in Keras; outside the
            gradient is 0. p is not normalised again (Keras does).

    Example:
        >>> SparseCategoricalCrossEntropy(from_logits=True).target(TensorType((None, 10))).classes
        10
    """

    from_logits: Bool = False
    epsilon: Fraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(TensorType(prediction.shape[:-1], "int32"), classes=prediction.shape[-1])

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        classes = _classes(scope, prediction)
        label = ops.one_hot(target, classes)
        return _cross_entropy(label, prediction, self.from_logits, self.epsilon)


@spec
class CategoricalCrossEntropy(AbstractLoss):
    """-Σ y · log p, for labels that are distributions, such as one-hot rows

    Args:
        from_logits: as in `SparseCategoricalCrossEntropy`.
        epsilon: as in `SparseCategoricalCrossEntropy`.

    Example:
        >>> CategoricalCrossEntropy().target(TensorType((None, 10))).distribution
        True
    """

    from_logits: Bool = False
    epsilon: Fraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        _classes(scope, prediction)
        return _cross_entropy(target, prediction, self.from_logits, self.epsilon)


@spec
class CategoricalFocalCrossEntropy(AbstractLoss):
    """-Σ α · (1 - p)^γ · y · log p, for labels that are distributions (Lin et al., 2017)

    Args:
        alpha: α, a factor of the whole loss.
        gamma: γ; 0 leaves the cross-entropy, times α.
        from_logits: as in `SparseCategoricalCrossEntropy`.
        label_smoothing: s, which moves labels to y · (1 - s) + s / classes.
        epsilon: as in `SparseCategoricalCrossEntropy`; 1 - p below it has no gradient.

    Example:
        >>> CategoricalFocalCrossEntropy.mindspore().alpha
        1.0
    """

    alpha: NonNegativeFloat = 0.25
    gamma: NonNegativeFloat = 2.0
    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    epsilon: OpenFraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        s, classes = self.label_smoothing, _classes(scope, prediction)
        y = target * (1.0 - s) + s / classes if s else target
        log_p = _log_p(prediction, self.from_logits, self.epsilon)
        weight = power(1.0 - ops.exp(log_p), self.gamma, self.epsilon)
        return per_example(-self.alpha * ops.reduce_sum(weight * y * log_p, -1))

    @classmethod
    def mindspore(cls, gamma: float = 2.0) -> Self:
        """Return `mindspore.nn.FocalLoss` with these arguments, for one-hot labels."""
        return cls(alpha=1.0, gamma=gamma, from_logits=True)


def _cross_entropy(label: Value, prediction: Value, from_logits: bool, epsilon: float) -> Value:
    log_p = _log_p(prediction, from_logits, epsilon)
    return per_example(-ops.reduce_sum(label * log_p, -1))


def _log_p(prediction: Value, from_logits: bool, epsilon: float) -> Value:
    if from_logits:
        return ops.log_softmax(prediction)
    return ops.log(ops.clip(prediction, epsilon, 1.0 - epsilon))


def _classes(scope: Scope, prediction: Value) -> int:
    scope.require(
        prediction.rank >= 2 and (prediction.shape[-1] or 0) >= 2,
        "a cross-entropy needs two classes or more in the last axis of the prediction",
        got=f"shape ({shape_text(prediction.shape)})",
        hint="End the model with a Dense layer of one unit per class.",
    )
    return scope.known(prediction.shape[-1], "the number of classes")
