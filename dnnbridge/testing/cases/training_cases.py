"""Cases of whole trainings: smooth nets, which agree step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge import randomness
from dnnbridge.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.layers import LSTM, Dense, Dropout, Flatten, Reshape
from dnnbridge.losses import (
    AbstractLoss,
    CategoricalCrossEntropy,
    MeanSquaredError,
    SparseCategoricalCrossEntropy,
)
from dnnbridge.models import Input, Sequential
from dnnbridge.optimizers import SGD, AbstractOptimizer, Adam
from dnnbridge.schedules import CosineDecay, ExponentialDecay, InverseTimeDecay


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """An experiment, its data, and how long to train. 107 examples leave a short last batch."""

    id: str
    experiment: Experiment
    x: Array
    y: Array
    batch_size: int = 20
    epochs: int = 8


def _x() -> Array:
    return randomness.generator(0, "training x").normal(size=(107, 4, 5))


def _label() -> Array:
    weights = randomness.generator(0, "training y").normal(size=(20, 3))
    return np.asarray((_x().reshape(107, 20) @ weights).argmax(1))


def _case(
    name: str, y: Array, loss: AbstractLoss, optimizer: AbstractOptimizer, *layers: Any
) -> TrainingCase:
    model = Sequential([Input((4, 5)), Flatten(), *layers])
    metrics = [] if isinstance(loss, MeanSquaredError) else ["accuracy"]
    return TrainingCase(name, Experiment(model, loss, optimizer, metrics, seed=3), _x(), y)


_SPARSE = SparseCategoricalCrossEntropy(from_logits=True)
_DECAY = ExponentialDecay(0.1, decay_rate=0.9, decay_steps=5)

TRAINING_CASES: list[TrainingCase] = [
    _case(
        "softplus-momentum",
        _label(),
        _SPARSE,
        SGD(_DECAY, momentum=0.9, nesterov=True),
        Dense(16, "softplus", kernel_initializer="he_normal"),
        Dense(3),
    ),
    _case(
        "sigmoid-adam-one_hot",
        np.eye(3)[_label()],
        CategoricalCrossEntropy(),
        Adam(CosineDecay(0.02, decay_steps=40)),
        Dense(16, "sigmoid"),
        Dense(8, "tanh"),
        Dense(3, "softmax"),
    ),
    _case(
        "dropout",
        _label(),
        _SPARSE,
        SGD(0.1, momentum=0.5, dampening=0.1),
        Dense(16, "tanh"),
        Dropout(0.3),
        Dense(3),
    ),
    _case(
        "recurrent",
        _label(),
        _SPARSE,
        Adam(0.01),
        Reshape((4, 5)),
        LSTM(6, recurrent_dropout=0.2),
        Dense(3),
    ),
    _case(
        "regression",
        _x()[:, :2, 0] ** 2,
        MeanSquaredError(),
        SGD(InverseTimeDecay(0.05, 10, 0.5)),
        Dense(16, "softplus"),
        Dense(2, bias_initializer="ones"),
    ),
]
