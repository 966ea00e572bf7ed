"""Cross-entropies of binary labels, one label per element."""

from __future__ import annotations

from typing import Self

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.base import AbstractLoss, per_example, power
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import Bool, Fraction, NonNegativeFloat, OpenFraction
from dnnbridge.specs.spec import spec


@spec
class BinaryCrossentropy(AbstractLoss):
    """-y · log p - (1 - y) · log(1 - p), the mean over all elements of an example

    Labels are from 0 to 1 and have the shape of the prediction.

    Args:
        from_logits: the prediction x is logits, and p = sigmoid(x). The loss is computed as
            y · softplus(-x) + (1 - y) · softplus(x), which is exact for logits of any size.
        label_smoothing: s; labels become y · (1 - s) + s / 2.
        epsilon: without logits, p is clipped to [epsilon, 1 - epsilon], as in Keras. The gradient
            outside that range is 0. (`mindspore.nn.BCELoss` adds 1e-12 to p instead. Its gradient
            is -1e12 if p is 0 and y is 1.)
        fused: as in `SparseCategoricalCrossentropy`. If the model ends with a sigmoid or softmax,
            the logits are the input x of that activation, and p = sigmoid(x), as in Keras.

    Example:
        >>> str(BinaryCrossentropy().target(TensorType((None, 1))).type)
        'float32[batch, 1]'
    """

    synonyms = ("bce",)

    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    epsilon: OpenFraction = 1e-7
    fused: Bool = True

    @property
    def of_logits(self) -> Self | None:
        return self.replace(from_logits=True) if self.fused else None

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, low=0.0, high=1.0)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        y = _smooth(target, self.label_smoothing)
        return per_example(_cross_entropy(y, prediction, self.from_logits, self.epsilon))

    @classmethod
    def mindspore(cls) -> Self:
        """Return `mindspore.nn.BCEWithLogitsLoss`."""
        return cls(from_logits=True, fused=False)


@spec
class BinaryFocalCrossentropy(AbstractLoss):
    """(1 - q)^γ times the binary cross-entropy, q = y · p + (1 - y) · (1 - p) (Lin et al., 2017)

    The factor reduces the loss of elements that are predicted well. The loss is the mean over all
    elements of an example.

    Args:
        apply_class_balancing: multiply the loss of each element by α y + (1 - α) (1 - y).
        alpha: α, the weight of label 1; used only with `apply_class_balancing`.
        gamma: γ; with 0 this is the binary cross-entropy.
        from_logits: as in `BinaryCrossentropy`.
        label_smoothing: as in `BinaryCrossentropy`.
        epsilon: as in `BinaryCrossentropy`. The factor has gradient 0 where 1 - q is below it.
        fused: as in `BinaryCrossentropy`.

    Example:
        >>> BinaryFocalCrossentropy(gamma=1.5).alpha
        0.25
    """

    apply_class_balancing: Bool = False
    alpha: Fraction = 0.25
    gamma: NonNegativeFloat = 2.0
    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    epsilon: OpenFraction = 1e-7
    fused: Bool = True

    @property
    def of_logits(self) -> Self | None:
        return None if self.from_logits or not self.fused else self.replace(from_logits=True)

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, low=0.0, high=1.0)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        y = _smooth(target, self.label_smoothing)
        loss = _cross_entropy(y, prediction, self.from_logits, self.epsilon)
        p = ops.sigmoid(prediction) if self.from_logits else prediction
        missed = y * (1.0 - p) + (1.0 - y) * p
        loss = power(missed, self.gamma, self.epsilon) * loss
        if self.apply_class_balancing:
            loss = (self.alpha * y + (1.0 - self.alpha) * (1.0 - y)) * loss
        return per_example(loss)


def _smooth(y: Value, s: float) -> Value:
    return y * (1.0 - s) + 0.5 * s if s else y


def _cross_entropy(y: Value, prediction: Value, from_logits: bool, epsilon: float) -> Value:
    if from_logits:
        return y * ops.softplus(-prediction) + (1.0 - y) * ops.softplus(prediction)
    # 1 - p needs its own clip: 1 - (1 - epsilon) is not epsilon in float32.
    p, q = (ops.clip(x, epsilon, 1.0 - epsilon) for x in (prediction, 1.0 - prediction))
    return -(y * ops.log(p) + (1.0 - y) * ops.log(q))
