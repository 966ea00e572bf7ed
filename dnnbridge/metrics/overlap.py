"""The base of intersections over unions: counts per class."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.counts import no_nan


class Form(NamedTuple):
    """How labels and predictions give class numbers; the arguments of `IoU`."""

    classes: int
    ignored: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1


@dataclass(frozen=True)
class AbstractIoU(AbstractMetric):
    """Base of means of intersection over union, a ratio per class.

    The union of a class are the places where it is the label or the prediction. A class without
    any place does not count in the mean. A label or a prediction that is no class is left out,
    with its place. Keras adds 1e-7 to the divisors and rounds weights to whole numbers.
    """

    goal = "max"

    @property
    @abstractmethod
    def form(self) -> Form:
        """How labels and predictions give class numbers."""

    @property
    @abstractmethod
    def targets(self) -> tuple[int, ...]:
        """The classes whose mean is taken."""

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        form = self.form
        answer = self.answer(scope, prediction)
        truth = class_numbers(scope, target, form.sparse_y_true, form.axis, "labels")
        scope.require(
            answer.shape == truth.shape,
            "labels and predictions must have as many class numbers",
            got=f"predictions {prediction.type} and labels {target.type}",
            hint="Set sparse_y_pred=False if a prediction has one number per class, and "
            "sparse_y_true=False if a label has.",
        )
        label, said = ops.one_hot(truth, form.classes), ops.one_hot(answer, form.classes)
        real = ops.reduce_sum(label, -1, keepdims=True) * ops.reduce_sum(said, -1, keepdims=True)
        if form.ignored is not None:
            kept = 1.0 - indicator(ops.equal(truth, form.ignored))
            real = real * ops.reshape(kept, (*kept.shape, 1))
        sums = [ops.reduce_sum(x * real, 1) for x in (label * said, label, said)]
        return ops.concat([ops.reshape(x, (*x.shape, 1)) for x in sums], 2)

    def answer(self, scope: Scope, prediction: Value) -> Value:
        """Return the predicted class numbers, of shape (batch, places)."""
        form = self.form
        return class_numbers(scope, prediction, form.sparse_y_pred, form.axis, "predictions")

    def result(self, total: Array, count: float) -> float:
        both, label, said = np.asarray(total, np.float64)[list(self.targets)].T
        union = label + said - both
        return float(no_nan(no_nan(both, union).sum(), np.sum(union > 0)))


def class_numbers(scope: Scope, x: Value, sparse: bool, axis: int, what: str) -> Value:
    """Return class numbers as (batch, places): those given, or the largest along an axis."""
    if not sparse:
        scope.require(
            x.dtype == "float32" and x.rank >= 2 and -x.rank < axis < x.rank and axis != 0,
            f"{what} must have one number per class along axis {axis}",
            got=str(x.type),
            hint="Set sparse_y_true=True for labels that are class numbers.",
        )
        x = ops.argmax(x, axis)
    numbers = x if x.dtype == "int32" else ops.cast(x, "int32")
    places = 1
    for size in numbers.shape[1:]:
        places *= scope.known(size, "the number of places")
    return ops.reshape(numbers, (numbers.shape[0], places))
