"""What the loss of an untrained model should be, and the lowest loss that labels allow."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.graph import TensorType
from dnnbridge.losses import (
    AbstractLoss,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    TimeDistributedLoss,
)
from dnnbridge.program.objectives import Objective
from dnnbridge.training.checking.labels import check_labels
from dnnbridge.training.checking.stored import whole
from dnnbridge.training.run import Run

OF_CLASSES = (
    *(SparseCategoricalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy),
    KLDivergence,
)
OF_BITS = (BinaryCrossentropy, BinaryFocalCrossentropy)
MARGINS = (Hinge, SquaredHinge, CategoricalHinge)


def labels_of(run: Run, y: Any) -> dict[str, Array]:
    """Return the checked labels of each objective by its key."""
    objectives = run.experiment.program().objectives
    found = check_labels(y, objectives, "y")
    return {key: whole(found[objective.labels_feed]) for key, objective in objectives.items()}


def uninformed(run: Run, y: Any) -> float | None:
    """Return the loss of a model that gives all classes the same probability.

    It is log C for a cross-entropy of C classes, log 2 for a binary one and 1 for hinge losses:
    the equation of the loss at equal probabilities, or at a margin of 0. None if a loss has no
    such value.
    """
    labels, program, total = labels_of(run, y), run.experiment.program(), 0.0
    types = program.outputs
    for key, objective in program.objectives.items():
        value = _of_equal(objective, labels[key], types[objective.output])
        if value is None:
            return None
        total += objective.weight * value
    return total


def _of_equal(objective: Objective, labels: Array, output: TensorType) -> float | None:
    kind, shape = _plain(objective.loss), output.concrete(len(labels))
    if isinstance(kind, MARGINS):
        return objective.loss(labels, np.zeros(shape))
    if not isinstance(kind, OF_CLASSES + OF_BITS):
        return None
    equal = 1.0 / shape[-1] if isinstance(kind, OF_CLASSES) else 0.5
    from_logits = getattr(kind, "from_logits", False)
    return objective.loss(labels, np.full(shape, 0.0 if from_logits else equal))


def _plain(loss: AbstractLoss) -> AbstractLoss:
    """Return the loss of one step of time."""
    return loss.loss if isinstance(loss, TimeDistributedLoss) else loss


def lowest(run: Run, y: Any) -> float:
    """Return the lowest loss that labels allow: 0 unless they are probabilities or counts."""
    labels = labels_of(run, y)
    objectives = run.experiment.program().objectives
    return sum(o.weight * _lowest(_plain(o.loss), labels[key]) for key, o in objectives.items())


def _lowest(loss: AbstractLoss, labels: Array) -> float:
    if isinstance(loss, CosineSimilarity):
        return -1.0
    p = np.asarray(labels, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(loss, Poisson):
            return float(np.mean(p - np.where(p > 0, p * np.log(p), 0.0)))
        if isinstance(loss, CategoricalCrossentropy):
            return float(np.mean(_entropy(p).sum(-1)))
        if isinstance(loss, BinaryCrossentropy):
            return float(np.mean(_entropy(p) + _entropy(1.0 - p)))
    return 0.0


def _entropy(p: Array) -> Array:
    found: Array = np.where(p > 0, -p * np.log(np.where(p > 0, p, 1.0)), 0.0)
    return found
