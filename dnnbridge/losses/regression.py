"""Losses for regression: the mean over all elements of an example."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses.base import AbstractLoss, per_example
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import OpenFraction, PositiveFloat
from dnnbridge.specs.spec import spec


@spec
class MeanSquaredError(AbstractLoss):
    """(prediction - target)², the mean over all elements of an example

    Labels must have the shape of the prediction: (n,) and (n, 1) do not broadcast, but raise an
    error.

    Example:
        >>> str(MeanSquaredError().target(TensorType((None, 1))).type)
        'float32[batch, 1]'
    """

    synonyms = ("mse",)

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.square(prediction - target))


@spec
class MeanAbsoluteError(AbstractLoss):
    """|prediction - target|, the mean over all elements of an example; derivative 0 at 0

    Example:
        >>> MeanAbsoluteError().to_dict()["reduction"]
        'mean'
    """

    synonyms = ("mae",)

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        return per_example(ops.abs(prediction - target))


@spec
class MeanAbsolutePercentageError(AbstractLoss):
    """100 · |prediction - target| / max(|target|, ε), the mean over all elements of an example

    Args:
        epsilon: ε, the least divisor, as in Keras. Labels close to 0 give huge losses.

    Example:
        >>> MeanAbsolutePercentageError().epsilon
        1e-07
    """

    synonyms = ("mape",)

    epsilon: PositiveFloat = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        share = ops.abs(prediction - target) / ops.maximum(ops.abs(target), self.epsilon)
        return 100.0 * per_example(share)


@spec
class MeanSquaredLogarithmicError(AbstractLoss):
    """(log(1 + max(prediction, ε)) - log(1 + max(target, ε)))², the mean over all elements

    Labels are 0 or more. The derivative is 0 where the prediction is below ε.

    Args:
        epsilon: ε, as in Keras.

    Example:
        >>> MeanSquaredLogarithmicError().target(TensorType((None, 1))).low
        0.0
    """

    synonyms = ("msle",)

    epsilon: OpenFraction = 1e-7

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, low=0.0)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        logs = [ops.log(ops.maximum(x, self.epsilon) + 1.0) for x in (prediction, target)]
        return per_example(ops.square(logs[0] - logs[1]))


@spec
class Huber(AbstractLoss):
    """e² / 2 where |e| ≤ δ, else δ |e| - δ² / 2, with e = prediction - target (Huber, 1964)

    The mean over all elements of an example, as in Keras and `mindspore.nn.HuberLoss`. It is
    computed as c · (e - c / 2), where c is e clipped to [-δ, δ]; the derivative is c.
    `mindspore.nn.SmoothL1Loss(beta)` is this loss with δ = beta, divided by beta.

    Args:
        delta: δ, the error at which the parabola becomes a line.

    Example:
        >>> Huber(delta=2.0).delta
        2.0
    """

    delta: PositiveFloat = 1.0

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        e = prediction - target
        c = ops.clip(e, -self.delta, self.delta)
        return per_example(c * (e - 0.5 * c))


@spec
class LogCosh(AbstractLoss):
    """log(cosh(prediction - target)), the mean over all elements of an example

    Computed as e + softplus(-2e) - log 2 with e = |prediction - target|, which never overflows.
    In float32 the absolute error is about 1e-7, also if the loss is smaller than that.

    Example:
        >>> LogCosh().to_dict()["kind"]
        'loss.LogCosh'
    """

    synonyms = ("log_cosh_error",)

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        e = ops.abs(prediction - target)
        return per_example(e + (ops.softplus(-2.0 * e) - math.log(2.0)))
