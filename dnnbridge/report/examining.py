"""Predict examples, and find the confused classes and the worst examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    Hinge,
    SquaredHinge,
)
from dnnbridge.losses.calling import losses_of
from dnnbridge.metrics import ConfusionMatrix
from dnnbridge.program.objectives import Objective
from dnnbridge.training.checking.arguments import Arguments
from dnnbridge.training.checking.data import by_input
from dnnbridge.training.checking.stored import whole
from dnnbridge.training.checking.texts import as_objects
from dnnbridge.training.run import Run

TWO_CLASSES = (BinaryCrossentropy, BinaryFocalCrossentropy, Hinge, SquaredHinge)
"""Losses of one number for each example that says which of two classes it is."""


@dataclass(frozen=True, eq=False)
class Examined:
    """Predictions of examples, and their losses.

    Attributes:
        metrics: the loss and the metrics of all examples.
        inputs: rows by the name of the input; texts are objects.
        labels: rows by the name of the output.
        predictions: rows by the name of the output.
        objectives: loss and metrics by the name of the output.
        losses: the loss of each example, the weighted sum over the outputs.
    """

    metrics: dict[str, Any]
    inputs: dict[str, Array]
    labels: dict[str, Array]
    predictions: dict[str, Array]
    objectives: dict[str, Objective]
    losses: Array

    def worst(self, count: int) -> list[int]:
        """Return the rows with the largest losses, the largest first."""
        order = np.argsort(-np.nan_to_num(self.losses, nan=np.inf), kind="stable")
        return [int(i) for i in order[:count]]


def examine(run: Run, x: Any, y: Any) -> Examined:
    """Predict examples with a run, which stays as it is.

    Raises:
        DataError, DTypeError: the arrays do not fit the spec.
    """
    program = run.experiment.program()
    fed = Arguments(run.experiment.model.input_types, program).data(x, y)
    types = run.experiment.model.input_types
    given = by_input(x, types)
    inputs = {
        name: as_objects(given[name], name) if type.text else whole(fed[f"input:{name}"])
        for name, type in types.items()
    }
    objectives = {each.output: each for each in program.objectives.values()}
    labels = {name: whole(fed[each.labels_feed]) for name, each in objectives.items()}
    before = (run.state(), run.position, run.optimizer, run.epoch_sums())
    metrics, made = run.evaluate(x, y), run.predict(x)
    if program.carried:  # a prediction of stateful layers goes on from the states before
        run.set_state(*before)
    outputs = made if isinstance(made, dict) else dict.fromkeys(objectives, made)
    predictions = {name: np.asarray(outputs[name]) for name in objectives}
    losses = np.zeros(len(next(iter(inputs.values()))))
    for name, each in objectives.items():
        losses += each.weight * losses_of(each.loss, labels[name], predictions[name])
    return Examined(metrics, inputs, labels, predictions, objectives, losses)


def confusion(objective: Objective, labels: Array, prediction: Array) -> Array | None:
    """Return the number of labels of each class (row) predicted as each class (column).

    None if the loss is not one of classes.
    """
    target = objective.target
    of_classes = target.classes is not None or target.distribution
    if of_classes and prediction.ndim >= 2 and prediction.shape[-1] >= 2:
        return np.asarray(ConfusionMatrix()(labels, prediction))
    if of_two_classes(objective, prediction[0]):
        score = prediction.reshape(-1).astype(np.float64) - threshold(objective)
        classes = (labels.reshape(-1) > 0.5).astype(np.int32)
        return np.asarray(ConfusionMatrix()(classes, np.stack([-score, score], 1)))
    return None


def of_two_classes(objective: Objective, values: Array) -> bool:
    """Return whether the label or prediction of an example is one number for two classes."""
    return isinstance(objective.loss, TWO_CLASSES) and values.size == 1


def threshold(objective: Objective) -> float:
    """Return the prediction above which an example is of the second of two classes."""
    probabilities = isinstance(objective.loss, (BinaryCrossentropy, BinaryFocalCrossentropy))
    return 0.5 if probabilities and not objective.loss.from_logits else 0.0
