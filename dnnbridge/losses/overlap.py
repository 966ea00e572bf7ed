"""Losses of how much two sets overlap, for segmentation."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss, per_example
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import Int, NonNegativeFloat, PositiveFloat
from dnnbridge.specs.spec import spec

Axes = Int | tuple[Int, ...]


class AbstractOverlap(AbstractLoss):
    """Base of losses of sets: labels and predictions are shares, from 0 to 1."""

    def target(self, prediction: TensorType) -> Target:
        return Target(prediction, low=0.0, high=1.0)


@spec
class Dice(AbstractOverlap):
    """1 - 2 Σ y · p / (Σ y + Σ p + ε) for labels y from 0 to 1 (Milletari et al., 2016)

    Args:
        axis: the axes of the sums; the loss of an example is the mean over its others. By default
            the sums are over all axes, as in Keras. If axis 0 is among them, the sums are over all
            examples of the batch: each example has the same loss, which depends on the others.
        epsilon: ε, as in Keras. Without labels and predictions the loss is 1.

    Example:
        >>> round(Dice(axis=-1)([[1.0, 0.0], [1.0, 1.0]], [[0.5, 0.0], [1.0, 1.0]]), 6)
        0.166667
    """

    axis: Axes | None = None
    epsilon: PositiveFloat = 1e-7

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        over = _Sums(scope, prediction, self.axis)
        both = over.sum(target * prediction)
        all = over.sum(target) + over.sum(prediction)
        return over.of_examples(1.0 - 2.0 * both / (all + self.epsilon))


@spec
class Tversky(AbstractOverlap):
    """1 - t / (t + α Σ y · (1 - p) + β Σ (1 - y) · p + ε), t = Σ y · p (Salehi et al., 2017)

    With α and β of 0.5 this is `Dice`, up to ε.

    Args:
        alpha: α, the weight of what the prediction misses. (This is Keras' number; its
            documentation says false positives.)
        beta: β, the weight of what the prediction has too much.
        axis: as in `Dice`.
        epsilon: ε, as in Keras.

    Example:
        >>> round(Tversky(alpha=2.0)([[1.0, 1.0]], [[1.0, 0.0]]), 6)
        0.666667
    """

    alpha: NonNegativeFloat = 0.5
    beta: NonNegativeFloat = 0.5
    axis: Axes | None = None
    epsilon: PositiveFloat = 1e-7

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        over = _Sums(scope, prediction, self.axis)
        both = over.sum(target * prediction)
        missed = over.sum(target * (1.0 - prediction))
        surplus = over.sum((1.0 - target) * prediction)
        wrong = self.alpha * missed + self.beta * surplus
        return over.of_examples(1.0 - both / (both + wrong + self.epsilon))


def axes_left(loss: Dice | Tversky, rank: int) -> set[int]:
    """Return the axes of predictions of this rank that a loss does not sum over.

    Example:
        >>> axes_left(Dice((1, -1)), 3), axes_left(Dice(), 3)
        ({0}, set())
    """
    if loss.axis is None:
        return set()
    given = loss.axis if isinstance(loss.axis, tuple) else (loss.axis,)
    return set(range(rank)) - {each % rank for each in given}


class _Sums:
    """Sums over axes, of which one may be the batch."""

    def __init__(self, scope: Scope, x: Value, axis: Axes | None) -> None:
        given = tuple(range(x.rank)) if axis is None else axis
        given = given if isinstance(given, tuple) else (given,)
        self.scope = scope
        self.axes = {each % x.rank for each in given}
        scope.require(
            len(self.axes) == len(given) > 0 and all(-x.rank <= each < x.rank for each in given),
            "axis must be axes of the prediction, each once",
            got=f"{axis} for shape ({shape_text(x.shape)})",
        )

    def sum(self, x: Value) -> Value:
        inner = tuple(sorted(self.axes - {0}))
        x = ops.reduce_sum(x, inner) if inner else x
        return self.scope.batch_sum(x) if 0 in self.axes else x

    def of_examples(self, x: Value) -> Value:
        """Return the mean over the axes that are left, one number per example."""
        if 0 not in self.axes:
            return per_example(x)
        return self.scope.for_each(ops.reduce_mean(x, tuple(range(x.rank))) if x.rank else x)
