"""Compute what a spec says of given arrays, in float64, by its own equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.declarations import BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.graph import BATCH, Builder, DType, TensorType, Value, inline
from dnnbridge.program.program import MASK, NORMALIZER
from dnnbridge.reference.interpreter import evaluate
from dnnbridge.training.checking.data import check_range

if TYPE_CHECKING:
    from dnnbridge.losses import AbstractLoss
    from dnnbridge.metrics import AbstractMetric
    from dnnbridge.metrics.base import MetricValue

Write = Callable[[Scope, Mapping[str, Value]], Mapping[str, Value]]
"""Writes an equation over inputs by name, and returns results by name."""


def value_of(write: Callable[[Scope, Value], Value], x: Any, where: str = "x") -> Array:
    """Return what an equation of one array gives; weights have the values they start with."""
    array = as_numbers(x, where)
    if not array.size:
        return array
    types = {where: TensorType(array.shape)}
    made = _computed(lambda scope, given: {"y": write(scope, given[where])}, types, {where: array})
    return made["y"]


def loss_of(loss: AbstractLoss, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Return the loss of a batch, reduced as the loss says."""
    from dnnbridge.program.objectives import Objective, emit_objectives

    prediction, count = _prediction(y_pred)
    output = TensorType((BATCH, *prediction.shape[1:]))
    target = loss.target(output)
    labels = _labels(y_true, target.type, count)
    check_range(labels, target, "y_true")
    objective = Objective("y", "", loss, 1.0, {}, (target,))
    types = {"prediction": output} | objective.feeds
    arrays = {
        "prediction": prediction,
        objective.labels_feed: labels,
        objective.weights_feed: _weights(sample_weight, count),
    }

    def write(scope: Scope, given: Mapping[str, Value]) -> Mapping[str, Value]:
        return emit_objectives(scope, {"y": objective}, {"y": given["prediction"]}, given)

    return float(_computed(write, types, arrays)["loss"])


def metric_of(
    metric: AbstractMetric, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> MetricValue:
    """Return a metric of some examples, each as often as its weight says."""
    prediction, count = _prediction(y_pred)
    output = TensorType((BATCH, *prediction.shape[1:]))
    target = metric.target(output)
    type = target.type if target else _type_of_labels(y_true, output)
    labels = _labels(y_true, type, count)
    if target:
        check_range(labels, target, "y_true")
    weights = _weights(sample_weight, count)

    def write(scope: Scope, given: Mapping[str, Value]) -> Mapping[str, Value]:
        made = scope.call(metric, given["prediction"], given["labels"], name=metric.label)
        return {"total": scope.batch_sum(made)}

    types = {"prediction": output, "labels": type}
    made = _computed(write, types, {"prediction": prediction, "labels": labels}, weights)
    return metric.result(made["total"], float(weights.sum()))


def as_numbers(value: Any, where: str) -> Array:
    """Return an array in float64, or raise."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal length
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            "needs an array of numbers",
            where=where,
            got=shorten(value),
            hint="Give a NumPy array or a list of numbers.",
        )
    return array.astype(np.float64)


def _computed(
    write: Write,
    types: Mapping[str, TensorType],
    arrays: Mapping[str, Array],
    mask: Array | None = None,
) -> dict[str, Array]:
    builder = Builder("call")
    given = {name: builder.input(name, type) for name, type in types.items()}
    mask = np.ones(next(iter(arrays.values())).shape[:1]) if mask is None else mask
    batch = BatchMask(
        builder.input(MASK, TensorType((BATCH,))), builder.input(NORMALIZER, TensorType(()))
    )
    declared = Declarations(builder, batch)
    made = write(Scope(builder, declared, training=False), given)
    known = dict(arrays) | {MASK: mask, NORMALIZER: np.asarray(1.0 / max(mask.sum(), 1e-300))}
    for array in declared.arrays.values():
        generator = randomness.generator(0, "initial", array.name)
        known[array.name] = array.initializer.sample(generator, array.shape)
    graph = inline(builder.graph(list(made.values())))
    with np.errstate(all="ignore"):
        found = evaluate(graph, [known[value.name] for value in graph.inputs])
    return {name: found[value] for name, value in zip(made, graph.outputs, strict=True)}


def _prediction(y_pred: Any) -> tuple[Array, int]:
    prediction = as_numbers(y_pred, "y_pred")
    if not prediction.ndim or not len(prediction):
        raise DataError(
            "needs one row per example",
            where="y_pred",
            got=f"shape {prediction.shape}",
            hint="Put a single example in a list.",
        )
    return prediction, len(prediction)


def _type_of_labels(y_true: Any, prediction: TensorType) -> TensorType:
    """Return numbers where there is one for each of the prediction, else class numbers."""
    shape = np.shape(y_true)[1:]
    dtype: DType = "float32" if shape == prediction.shape[1:] else "int32"
    return TensorType((BATCH, *shape), dtype)


def _labels(y_true: Any, type: TensorType, count: int) -> Array:
    labels = as_numbers(y_true, "y_true")
    if labels.shape != type.concrete(count):
        raise DataError(
            f"needs shape {type.concrete(count)}, to go with the prediction",
            where="y_true",
            got=f"shape {labels.shape}",
            hint="The order is that of Keras: labels first, then predictions.",
        )
    if type.dtype == "float32":
        return labels
    whole = labels.astype(np.int32)
    if (whole != labels).any():
        raise DataError("needs class numbers", where="y_true", got=shorten(y_true))
    return whole


def _weights(sample_weight: Any, count: int) -> Array:
    weights = (
        np.ones(count) if sample_weight is None else as_numbers(sample_weight, "sample_weight")
    )
    if weights.shape != (count,) or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError(
            f"needs {count} numbers of 0 or more, one per example",
            where="sample_weight",
            got=shorten(sample_weight),
        )
    return weights
