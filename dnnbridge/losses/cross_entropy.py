"""Cross-entropies over the classes of the last axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss, per_example, power
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import Bool, Fraction, Int, NonNegativeFloat, OpenFraction
from dnnbridge.specs.spec import spec


@spec
class SparseCategoricalCrossentropy(AbstractLoss):
    """-Σ y · log p, for labels that are class numbers; y is 1 at the label, else 0

    Args:
        from_logits: the prediction is logits, and p is their softmax. The loss uses a log-softmax,
            which is exact for logits of any size. Otherwise the prediction is p.
        label_smoothing: s; y becomes y · (1 - s) + s / classes.
        ignore_class: class number of labels to ignore, usually -100 or -1. They count neither in
            the sum nor in its divisor. If a batch has no other labels, its loss is 0.
        class_weights: one factor per class for the losses of its labels. With reduction "mean"
            the sum is divided by the number of labels, as in Keras. With "weighted_mean" it is
            divided by the sum of the labels' factors, as in MindSpore. Smoothing comes first, so a
            smoothed label uses the factors of all classes.
        epsilon: without logits, p is clipped to [epsilon, 1 - epsilon], as in Keras. The gradient
            outside that range is 0.
        normalize: without logits, p is divided by its sum over the classes. As in Keras, this
            class divides after the clip and `CategoricalCrossentropy` before it. With False p is
            not divided.
        fused: if the model ends with a softmax or sigmoid, the logits are the input x of that
            activation, and p = softmax(x) for both, as in Keras. So a prediction of p = 0 at the
            label still has a gradient. With from_logits=True this gives a warning. False uses the
            output of the model as it is.

    Example:
        >>> SparseCategoricalCrossentropy(from_logits=True).target(TensorType((None, 10))).classes
        10
    """

    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    ignore_class: Int | None = None
    class_weights: tuple[NonNegativeFloat, ...] | None = None
    epsilon: Fraction = 1e-7
    normalize: Bool = True
    fused: Bool = True

    @property
    def of_logits(self) -> Self | None:
        return self.replace(from_logits=True) if self.fused else None

    @property
    def is_plain(self) -> bool:
        """Whether this is just -Σ y · log softmax(logits), which framework kernels compute."""
        return _is_plain(self)

    def target(self, prediction: TensorType) -> Target:
        type = TensorType(prediction.shape[:-1], "int32")
        return Target(type, classes=prediction.shape[-1], ignored=self.ignore_class)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value | tuple[Value, Value]:
        classes = _classes(scope, prediction, self.class_weights)
        if self.ignore_class is None:
            return _cross_entropy(
                scope, self, ops.one_hot(target, classes), self._log_p(prediction)
            )
        counted = 1.0 - ops.cast(ops.equal(target, self.ignore_class), "float32")
        known = ops.cast(ops.cast(target, "float32") * counted, "int32")
        label, log_p = ops.one_hot(known, classes), self._log_p(prediction)
        return _cross_entropy(scope, self, label, log_p, counted)

    def _log_p(self, prediction: Value) -> Value:
        if self.from_logits:
            return ops.log_softmax(prediction)
        p = ops.clip(prediction, self.epsilon, 1.0 - self.epsilon)
        log_p = ops.log(p)
        return log_p - ops.log(ops.reduce_sum(p, -1, keepdims=True)) if self.normalize else log_p

    @classmethod
    def mindspore(
        cls,
        weight: Sequence[float] | None = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> Self:
        """Return `mindspore.nn.CrossEntropyLoss` with these arguments, for class numbers."""
        weights = _by_class(weight)
        given = True, label_smoothing, ignore_index, weights
        return cls(*given, normalize=False, fused=False, reduction="weighted_mean")


@spec
class CategoricalCrossentropy(AbstractLoss):
    """-Σ y · log p, for labels that are distributions, such as one-hot rows

    Args:
        from_logits: as in `SparseCategoricalCrossentropy`.
        label_smoothing: as in `SparseCategoricalCrossentropy`.
        class_weights: as in `SparseCategoricalCrossentropy`.
        epsilon: as in `SparseCategoricalCrossentropy`.
        normalize: as in `SparseCategoricalCrossentropy`, but before p is clipped.
        fused: as in `SparseCategoricalCrossentropy`.

    Example:
        >>> CategoricalCrossentropy().target(TensorType((None, 10))).distribution
        True
    """

    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    class_weights: tuple[NonNegativeFloat, ...] | None = None
    epsilon: Fraction = 1e-7
    normalize: Bool = True
    fused: Bool = True

    @property
    def of_logits(self) -> Self | None:
        return self.replace(from_logits=True) if self.fused else None

    @property
    def is_plain(self) -> bool:
        """Whether this is just -Σ y · log softmax(logits), which framework kernels compute."""
        return _is_plain(self)

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value | tuple[Value, Value]:
        _classes(scope, prediction, self.class_weights)
        log_p = _log_p(prediction, self.from_logits, self.normalize, self.epsilon)
        return _cross_entropy(scope, self, target, log_p)

    @classmethod
    def mindspore(cls, weight: Sequence[float] | None = None, label_smoothing: float = 0.0) -> Self:
        """Return `mindspore.nn.CrossEntropyLoss` with these arguments, for distributions.

        For distributions MindSpore divides by the number of examples, also with weights.
        """
        weights = _by_class(weight)
        return cls(True, label_smoothing, weights, normalize=False, fused=False)


@spec
class CategoricalFocalCrossentropy(AbstractLoss):
    """-Σ α · (1 - p)^γ · y · log p, for labels that are distributions (Lin et al., 2017)

    Args:
        alpha: α, a factor of the whole loss.
        gamma: γ; with 0 this is the cross-entropy times α.
        from_logits: as in `SparseCategoricalCrossentropy`.
        label_smoothing: s; labels become y · (1 - s) + s / classes.
        epsilon: as in `SparseCategoricalCrossentropy`. (1 - p)^γ has gradient 0 where 1 - p is
            below it.
        normalize: as in `CategoricalCrossentropy`.

    Example:
        >>> CategoricalFocalCrossentropy.mindspore().alpha
        1.0
    """

    alpha: NonNegativeFloat = 0.25
    gamma: NonNegativeFloat = 2.0
    from_logits: Bool = False
    label_smoothing: Fraction = 0.0
    epsilon: OpenFraction = 1e-7
    normalize: Bool = True

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, distribution=True)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        _classes(scope, prediction)
        y = _smooth(target, self.label_smoothing)
        log_p = _log_p(prediction, self.from_logits, self.normalize, self.epsilon)
        weight = power(1.0 - ops.exp(log_p), self.gamma, self.epsilon)
        return per_example(-self.alpha * ops.reduce_sum(weight * y * log_p, -1))

    @classmethod
    def mindspore(cls, gamma: float = 2.0) -> Self:
        """Return `mindspore.nn.FocalLoss` with these arguments, for one-hot labels."""
        return cls(alpha=1.0, gamma=gamma, from_logits=True, normalize=False)


def _by_class(weight: Any) -> Any:
    """Return a sequence of factors as a tuple; the field rejects anything else."""
    return tuple(weight) if isinstance(weight, Iterable) else weight


def _is_plain(loss: SparseCategoricalCrossentropy | CategoricalCrossentropy) -> bool:
    probabilities = {"epsilon": 1e-7, "normalize": True, "fused": True}  # not used with logits
    reduction = loss.reduction
    return loss.replace(**probabilities) == type(loss)(from_logits=True, reduction=reduction)


def _cross_entropy(
    scope: Scope,
    loss: SparseCategoricalCrossentropy | CategoricalCrossentropy,
    label: Value,
    log_p: Value,
    counted: Value | None = None,
) -> Value | tuple[Value, Value]:
    """Return the loss per example and, if that can differ from 1, how much of it counts.

    `counted` is 1 at labels that count and 0 at ignored labels.
    """
    terms = _smooth(label, loss.label_smoothing) * log_p
    weight = counted
    if loss.class_weights is not None:
        factors = scope.constant(loss.class_weights)
        terms = terms * factors
        if loss.reduction == "weighted_mean":
            weight = ops.reduce_sum(label * factors, -1)
            weight = weight if counted is None else weight * counted
    losses = -ops.reduce_sum(terms, -1)
    if counted is not None:
        losses = losses * counted
    return per_example(losses) if weight is None else (per_example(losses), per_example(weight))


def _smooth(label: Value, s: float) -> Value:
    return label * (1.0 - s) + s / (label.shape[-1] or 1) if s else label


def _log_p(prediction: Value, from_logits: bool, normalize: bool, epsilon: float) -> Value:
    if from_logits:
        return ops.log_softmax(prediction)
    p = prediction
    if normalize:
        p = p / ops.reduce_sum(p, -1, keepdims=True)
    return ops.log(ops.clip(p, epsilon, 1.0 - epsilon))


def _classes(
    scope: Scope, prediction: Value, class_weights: tuple[float, ...] | None = None
) -> int:
    scope.require(
        prediction.rank >= 2 and (prediction.shape[-1] or 0) >= 2,
        "a cross-entropy needs at least two classes in the last axis of the prediction",
        got=f"shape ({shape_text(prediction.shape)})",
        hint="End the model with a Dense layer with one unit per class.",
    )
    classes = scope.known(prediction.shape[-1], "the number of classes")
    scope.require(
        class_weights is None or len(class_weights) == classes,
        "class_weights needs one factor per class",
        got=f"{len(class_weights or ())} factors for {classes} classes",
    )
    return classes
