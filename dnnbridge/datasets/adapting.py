"""`adapt_to`: make a data set fit an experiment, and say what was changed."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.datasets.dataset import Dataset
from dnnbridge.datasets.loading import PARTS
from dnnbridge.errors import DataError, DnnbridgeError
from dnnbridge.experiment import Experiment
from dnnbridge.graph import TensorType
from dnnbridge.losses.target import Target
from dnnbridge.training.checking.data import check_input, check_targets
from dnnbridge.training.checking.stored import whole

log = logging.getLogger(__name__)


def adapt_to(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Return the data as the experiment takes them; every change is logged.

    Examples are reshaped to the model's input in C order where the number of elements fits, and
    class numbers become one-hot rows where the loss takes distributions. Nothing else is changed.

    Raises:
        DataError, DTypeError: the data do not fit.

    Example:
        >>> import dnnbridge as db
        >>> from dnnbridge.datasets import load_dataset
        >>> model = db.Sequential([db.Input((64,)), db.Dense(10, activation="softmax")])
        >>> experiment = db.Experiment(model, db.CategoricalCrossentropy(), db.SGD(0.1))
        >>> digits = adapt_to(experiment, load_dataset("digits"))
        >>> digits.x_train.shape, digits.y_train.shape
        ((1438, 64), (1438, 10))
    """
    objectives = list(experiment.program().objectives.values())
    if len(objectives) != 1:
        raise DataError(
            "a data set has labels for one output",
            where="Experiment.loss",
            got=f"{len(objectives)} heads",
            hint="Call fit with a dictionary of labels.",
        )
    target = objectives[0].target
    input_type = experiment.model.input_type
    loss = type(objectives[0].loss).__name__
    arrays = {}
    for part in PARTS:
        array = getattr(dataset, part)
        try:
            if part.startswith("x"):
                given = _reshaped(array, input_type, part)
                checked = whole(check_input(given, input_type, part))
                arrays[part] = given if input_type.text else checked
            else:
                labels = _one_hot(array, target, part, loss)
                arrays[part] = whole(check_targets(labels, (target,), part))
        except DnnbridgeError as error:
            raise error.at(dataset.name) from None
    adapted = Dataset(dataset.name, **arrays)
    _log_changes(dataset, adapted)
    return adapted


def _reshaped(x: Array, input_type: TensorType, where: str) -> Array:
    shape = tuple(size for size in input_type.data_shape[1:] if size is not None)
    if x.shape[1:] == shape:
        return x
    if math.prod(x.shape[1:]) != math.prod(shape):
        raise DataError(
            f"the model takes examples of shape {shape}, {math.prod(shape)} elements",
            where=where,
            got=f"examples of shape {x.shape[1:]}, {math.prod(x.shape[1:])} elements",
            hint=f"Start the model with Input({x.shape[1:]}), or choose other data.",
        )
    return x.reshape(-1, *shape)


def _one_hot(y: Array, target: Target, where: str, loss: str) -> Array:
    if target.type.dtype != "float32" or not np.issubdtype(y.dtype, np.integer):
        return y
    classes = target.type.shape[-1]
    if not target.distribution or classes is None:
        raise DataError(
            f"{loss} takes real numbers as labels",
            where=where,
            got=f"whole numbers ({y.dtype})",
            hint="Choose SparseCategoricalCrossentropy for class numbers, or store real labels.",
        )
    if y.ndim == target.type.rank:
        return y.astype(np.float32)
    _check_range(y, classes, where)
    return np.eye(classes, dtype=np.float32)[y]


def _check_range(y: Array, classes: int, where: str) -> None:
    if y.min() < 0 or y.max() >= classes:
        raise DataError(
            f"labels must be from 0 to {classes - 1}",
            where=where,
            got=f"labels from {y.min()} to {y.max()}",
            hint="Give the last layer as many units as there are classes.",
        )


def _log_changes(before: Dataset, after: Dataset) -> None:
    changes: list[tuple[str, Callable[[Dataset], Array]]] = [
        ("examples reshaped", lambda data: data.x_train),
        ("class numbers made one-hot rows", lambda data: data.y_train),
    ]
    for what, part in changes:
        old, new = part(before).shape[1:], part(after).shape[1:]
        if old != new:
            log.info("%s: %s, from shape %s to %s", before.name, what, old, new)
