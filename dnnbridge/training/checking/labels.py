"""Check labels and sample weights, for each output of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.calling import STEP_HINT
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.program.objectives import Objective
from dnnbridge.training.checking.data import (
    as_float32,
    check_finite,
    check_input,
    check_pair,
    check_targets,
)
from dnnbridge.training.checking.frames import columns_of, is_frame
from dnnbridge.training.checking.stored import Column, Columns, whole

Objectives = Mapping[str, Objective]


def check_labels(y: Any, objectives: Objectives, where: str = "y") -> dict[str, Column]:
    """Return the labels by the names of their feeds, or raise.

    Args:
        y: an array; for a model with several outputs a dictionary by output name, or a list in
            the order of the heads.
        objectives: the objectives of the program.
        where: the caller's name for `y`, used in messages.
    """
    return {
        objective.labels_feed: check_targets(labels, objective.targets, place)
        for objective, labels, place in _per_output(y, objectives, where)
    }


def check_weights(
    sample_weight: Any, class_weight: Any, labels: Columns, objectives: Objectives
) -> dict[str, Array]:
    """Return one weight per example by the names of their feeds, or raise.

    Args:
        sample_weight: None, or an array of one number per example, or per step for a
            `TimeDistributedLoss`; for a model with several
            outputs one array for all of them, a dictionary by output name, a frame whose
            columns are named so, or a list of arrays in the order of the heads.
        class_weight: None, or a factor per class number, for a model with one output.
        labels: the result of `check_labels`.
        objectives: the objectives of the program.
    """
    weights = {
        objective.weights_feed: np.ones(
            objective.weights.concrete(len(labels[objective.labels_feed])), np.float32
        )
        for objective in objectives.values()
    }
    if sample_weight is not None:
        one = len(objectives) > 1 and not _by_output(sample_weight, objectives)
        given = dict.fromkeys(objectives, sample_weight) if one else sample_weight
        for objective, array, place in _per_output(given, objectives, "sample_weight", some=True):
            numbers = _weights(array, objective.weights, place)
            check_pair(numbers, labels[objective.labels_feed], (place, "y"))
            check_not_negative(numbers, place)
            weights[objective.weights_feed] = numbers
    if class_weight is not None:
        (objective,) = _single(objectives)
        factors = _factors(class_weight, whole(labels[objective.labels_feed]), objective)
        weights[objective.weights_feed] = weights[objective.weights_feed] * factors
    return weights


def _by_output(given: Any, objectives: Objectives) -> bool:
    """Return whether this holds weights for each output: a dictionary, a list, or a frame."""
    columns = is_frame(given) and any(name in objectives for name in given.columns)
    listed = isinstance(given, list | tuple) and len(given) == len(objectives)
    arrays = listed and all(getattr(each, "shape", ()) for each in given)
    return columns or arrays or isinstance(given, Mapping)


def _weights(given: Any, type: TensorType, where: str) -> Array:
    """Return weights of this type; one weight per example is the same for all its steps."""
    if type.rank == 1 and np.ndim(given) == 2 and np.shape(given)[1] > 1:
        raise DataError(
            "must be one weight per example",
            where=where,
            got=f"shape {np.shape(given)}",
            hint=STEP_HINT,
        )
    if type.rank == 1 or np.ndim(given) != 1:
        return whole(check_input(given, type, where))
    numbers = whole(check_input(given, TensorType((BATCH,)), where))
    return np.repeat(numbers[:, None], type.shape[1] or 0, 1)


def _per_output(
    given: Any, objectives: Objectives, where: str, some: bool = False
) -> list[tuple[Objective, Any, str]]:
    """Return the array given for each output, and its name in messages."""
    if len(objectives) > 1 and is_frame(given):
        given = columns_of(given)
    if len(objectives) == 1 and not isinstance(given, Mapping):
        return [(objective, given, where) for objective in objectives.values()]
    if isinstance(given, (list, tuple)) and len(given) == len(objectives):
        given = dict(zip(objectives, given, strict=True))
    if objectives.keys() == {"y"} != given.keys():
        raise DataError(
            "must be an array, as the model has one output",
            where=where,
            got=f"a dictionary with {', '.join(map(str, given)) or 'nothing'}",
            hint=f"Give the array itself, {where}[…].",
        )
    unknown = isinstance(given, Mapping) and given.keys() - objectives.keys()
    if not isinstance(given, Mapping) or unknown or (len(given) < len(objectives) and not some):
        raise DataError(
            f"is needed for {', '.join(objectives)}",
            where=where,
            got=", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__,
            hint="Give a dictionary of arrays by the names of the outputs.",
        )
    return [(objectives[key], given[key], f"{where}[{key!r}]") for key in given]


def _single(objectives: Objectives) -> list[Objective]:
    if len(objectives) != 1:
        raise DataError(
            "works only for a model with one output",
            where="class_weight",
            got=f"heads {', '.join(objectives)}",
            hint="Give class_weights to the losses, or sample_weight.",
        )
    return list(objectives.values())


def _by_class(class_weight: Any) -> Mapping[Any, Any]:
    """Return the factors by the numbers of their classes, or raise."""
    if isinstance(class_weight, (list, tuple, np.ndarray)):
        class_weight = dict(enumerate(class_weight))
    factors = class_weight.values() if isinstance(class_weight, Mapping) else [None]
    if not all(isinstance(each, (int, float, np.number)) for each in factors):
        raise DTypeError(
            "needs a factor for each class",
            where="class_weight",
            got=shorten(class_weight),
            hint="Give a dictionary such as {0: 1.0, 1: 2.5}, or a list.",
        )
    return dict(class_weight)


def _factors(class_weight: Any, labels: Array, objective: Objective) -> Array:
    """Return the factor of every example's class."""
    target = objective.target
    classes = target.classes or (target.type.shape[-1] if target.distribution else None)
    numbers = labels.argmax(-1) if target.distribution else labels
    if labels.shape[1:] == (1,) and np.isin(labels, (0, 1)).all():
        classes, numbers = 2, labels[:, 0].astype(np.int32)
    if classes is None or numbers.ndim != 1:
        raise DataError(
            "needs one class per example",
            where="class_weight",
            got=f"labels {target.type} of {type(objective.loss).__name__}",
            hint="Use sample_weight.",
        )
    given = _by_class(class_weight)
    unknown = [key for key in given if key not in range(classes)]
    if unknown:
        raise DataError(
            f"classes must be from 0 to {classes - 1}", where="class_weight", got=str(unknown[0])
        )
    factors = np.array([given.get(number, 1.0) for number in range(classes)], np.float64)
    table = as_float32(factors, "class_weight")
    check_not_negative(table, "class_weight")
    counted = numbers != target.ignored
    return np.where(counted, table[np.where(counted, numbers, 0)], np.float32(1.0))


def check_not_negative(weights: Array, where: str) -> None:
    """Raise unless all weights are finite and 0 or more."""
    check_finite(weights, where)
    if weights.size and weights.min() < 0:
        raise DataError("weights must be 0 or more", where=where, got=f"{weights.min()}")
