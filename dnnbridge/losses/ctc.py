"""Connectionist temporal classification."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import AbstractLoss
from dnnbridge.losses.target import Target
from dnnbridge.specs.fields import Int, NonNegativeInt, PositiveInt
from dnnbridge.specs.spec import spec

NEVER = -1e30
"""Logarithm used for probability 0; it is finite so that it can be subtracted from itself."""


@spec
class CTC(AbstractLoss):
    """-log Σ p(path) over the paths that give the labels (Graves et al., 2006)

    The prediction is logits of shape (batch, frames, classes). A path assigns a class to every
    frame. Merging its repeats and then dropping its blanks gives its labels. All frames of an
    example are used. If the labels do not fit into the frames, the loss is infinite, and a weight
    of 0 does not help: remove such examples. The sum is computed by the forward algorithm, in
    logarithms, with a loop over the frames.

    Args:
        label_length: size of the second axis of the int32 labels, (batch, label_length).
        blank: class of the blank; 0 as in Keras' `CTC`. For blank -1 of `tf.nn.ctc_loss`, the last
            class, give classes - 1.
        padding: value that fills the end of a short row of labels.

    Example:
        >>> str(CTC(4).target(TensorType((None, 20, 7))).type)
        'int32[batch, 4]'
    """

    label_length: PositiveInt
    blank: NonNegativeInt = 0
    padding: Int = -1

    def __post_init__(self) -> None:
        if self.padding < -1:
            raise SpecError(
                "padding must be -1 or a class", where=".padding", got=str(self.padding)
            )

    def target(self, prediction: TensorType) -> Target:
        classes = float(prediction.shape[-1] or 1)
        low, high = min(0.0, self.padding), max(classes - 1.0, self.padding)
        type = TensorType((prediction.shape[0], self.label_length), "int32")
        blank = None if self.blank == self.padding else self.blank
        return Target(type, low=low, high=high, padding=self.padding, refused=blank)

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        scope.require(
            prediction.rank == 3 and self.blank < (prediction.shape[2] or 0),
            "CTC needs logits of shape (batch, frames, classes) and blank < classes",
            got=f"shape ({shape_text(prediction.shape)}) and blank {self.blank}",
            hint="End the model with a layer with one unit per class for every frame.",
        )
        frames = scope.known(prediction.shape[1], "the number of frames")
        real = ops.cast(ops.equal(target, self.padding), "float32") * -1.0 + 1.0
        symbols, skip = self._symbols(scope, target, real, prediction.shape[2] or 0)
        scores = ops.batch_matmul(ops.log_softmax(prediction), ops.transpose(symbols, (0, 2, 1)))
        barrier = (1.0 - skip) * NEVER

        def step(
            inner: Scope, carries: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            (stay,) = carries
            follow = _shifted(stay)
            jump = _shifted(follow) + barrier
            return (_log_sum(stay, follow, jump) + slices[0],), ()

        start = skip * 0.0 + scope.constant_of((2 * self.label_length + 1,), self._begin)
        (alpha,), _ = scope.scan(step, [start], [ops.transpose(scores, (1, 0, 2))], frames)
        return _negative_log(alpha, ops.reduce_sum(real, 1))

    def _blank(self, classes: int) -> Array:
        made = np.zeros(classes)
        made[self.blank] = 1.0
        return made

    def _begin(self) -> Array:
        begin = np.full(2 * self.label_length + 1, NEVER)
        begin[0] = 0.0
        return begin

    def _symbols(
        self, scope: Scope, target: Value, real: Value, classes: int
    ) -> tuple[Value, Value]:
        """Return the one-hot labels with blanks around them, and where a blank may be skipped."""
        batch, length = target.shape[0], self.label_length
        label = ops.where(real > 0.0, ops.cast(target, "float32"), float(self.blank))
        one_hot = ops.reshape(
            ops.one_hot(ops.cast(label, "int32"), classes), (batch, length, 1, classes)
        )
        blank = one_hot * 0.0 + scope.constant_of((classes,), lambda: self._blank(classes))
        pairs = ops.reshape(ops.concat([blank, one_hot], 2), (batch, 2 * length, classes))
        first = ops.slice(pairs, (0, 0, 0), (batch, 1, classes))
        symbols = ops.concat([pairs, first], 1)
        before = ops.concat(
            [first, first, ops.slice(symbols, (0, 0, 0), (batch, 2 * length - 1, classes))], 1
        )
        same = ops.reduce_sum(symbols * before, 2)
        return symbols, (1.0 - same) * (1.0 - ops.reduce_sum(symbols * first, 2))

    @classmethod
    def keras(cls, label_length: int) -> Self:
        """Return `keras.losses.CTC`, which pads labels with its blank, 0."""
        return cls(label_length, 0, 0)


def _shifted(alpha: Value) -> Value:
    """Shift the second axis right by one position."""
    batch, size = alpha.shape
    first = ops.slice(alpha, (0, 0), (batch, 1)) * 0.0 + NEVER
    return ops.concat([first, ops.slice(alpha, (0, 0), (batch, (size or 1) - 1))], 1)


def _log_sum(a: Value, b: Value, c: Value) -> Value:
    """Return log(eᵃ + eᵇ + eᶜ)."""
    larger = ops.where(a > b, a, b)
    m = ops.where(larger > c, larger, c)
    return m + ops.log(ops.exp(a - m) + ops.exp(b - m) + ops.exp(c - m))


def _negative_log(alpha: Value, length: Value) -> Value:
    """Return -log of the sum over paths that end with the last label or the blank after it."""
    size = alpha.shape[1] or 0
    last = ops.one_hot(ops.cast(2.0 * length, "int32"), size)
    label = ops.one_hot(ops.cast(ops.relu(2.0 * length - 1.0), "int32"), size)
    ends = ops.where(last + label > 0.0, alpha, NEVER)
    m = ops.reduce_max(ends, 1, keepdims=True)
    total = ops.log(ops.reduce_sum(ops.exp(ends - m), 1)) + ops.reshape(m, length.shape)
    return ops.where(total > 0.1 * NEVER, -total, math.inf)
