"""Evaluate the equation of a spec on given arrays, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.declarations import MASK, NORMALIZER, BatchMask, Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.graph import BATCH, Builder, TensorType, Value, inline
from dnnbridge.ops.float64 import Interpreter

Write = Callable[[Scope, Mapping[str, Value]], Mapping[str, Value]]
"""Writes an equation over inputs by name, and returns results by name."""


STEP_HINT = "For a weight per step, write the loss as TimeDistributedLoss(loss)."


def value_of(write: Callable[[Scope, Value], Value], x: Any, where: str = "x") -> Array:
    """Return the result of an equation of one array; weights have their initial values."""
    array = as_numbers(x, where)
    if not array.size:
        return array
    types = {where: TensorType(array.shape)}
    made = computed(lambda scope, given: {"y": write(scope, given[where])}, types, {where: array})
    return made["y"]


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


def computed(
    write: Write,
    types: Mapping[str, TensorType],
    arrays: Mapping[str, Array],
    mask: Array | None = None,
) -> dict[str, Array]:
    """Return the results of an equation; weights have their initial values.

    Args:
        write: the equation.
        types: types of its inputs, by name.
        arrays: its inputs.
        mask: how often each example counts; by default once.
    """
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
        found = Interpreter().evaluate(graph, [known[value.name] for value in graph.inputs])
    return {name: found[value] for name, value in zip(made, graph.outputs, strict=True)}


def prediction_of(y_pred: Any) -> tuple[Array, int]:
    """Return predictions in float64 and their number, or raise."""
    prediction = as_numbers(y_pred, "y_pred")
    if not prediction.ndim or not len(prediction):
        raise DataError(
            "needs one row per example",
            where="y_pred",
            got=f"shape {prediction.shape}",
            hint="Put a single example in a list.",
        )
    return prediction, len(prediction)


def labels_of(y_true: Any, type: TensorType, count: int) -> Array:
    """Return labels of the type for `count` predictions, or raise."""
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


def weights_of(sample_weight: Any, shape: tuple[int, ...]) -> Array:
    """Return one weight per example, or per step for a shape (examples, steps), or raise."""
    weights = (
        np.ones(shape) if sample_weight is None else as_numbers(sample_weight, "sample_weight")
    )
    if weights.shape == shape[:1] != shape:
        weights = np.repeat(weights[:, None], shape[1], 1)
    if weights.shape != shape or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError(
            f"needs {' times '.join(map(str, shape))} numbers of 0 or more, one per "
            + ("example" if len(shape) == 1 else "step"),
            where="sample_weight",
            got=shorten(sample_weight),
            hint=STEP_HINT if len(shape) == 1 and weights.ndim == 2 else "",
        )
    return weights
