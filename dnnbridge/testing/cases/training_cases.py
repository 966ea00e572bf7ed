"""Cases of whole trainings: smooth nets, which agree step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge import randomness
from dnnbridge.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    Activation,
    Add,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    LayerNorm,
    MultiHeadAttention,
    PaddingMask,
    SinusoidalPositions,
)
from dnnbridge.losses import (
    AbstractLoss,
    CategoricalCrossEntropy,
    MeanSquaredError,
    SparseCategoricalCrossEntropy,
)
from dnnbridge.models import Input, Model, Sequential
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


def _called_twice(layer: Any, units: int) -> Model:
    x = Input((units,))
    return Model(x, layer(Dense(units, "tanh")(layer(x))))


def _sequence_case() -> TrainingCase:
    """Words, some of them padding, through attention; a word is taken many times in a batch."""
    words = Input((6,), "int32")
    rows = SinusoidalPositions()(Embedding(9, 8, padding_index=0)(words))
    # The gradient of a bias of the keys is zero, and its rounding is all that would be compared.
    heads = MultiHeadAttention(2, 4, dropout=0.1, use_bias=False, causal=True, masked=True)
    seen = heads(rows, rows, PaddingMask()(words))
    normed = LayerNorm()(Add()(GaussianNoise(0.1)(rows), seen))
    model = Model(words, Dense(3)(Flatten()(normed)))
    x = randomness.generator(0, "words").integers(0, 9, (107, 6))
    experiment = Experiment(model, _SPARSE, SGD(0.1, momentum=0.9), ["accuracy"], seed=3)
    return TrainingCase("attention", experiment, x, (x.sum(1) % 3), batch_size=20, epochs=8)


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
        "regression",
        _x()[:, :2, 0] ** 2,
        MeanSquaredError(),
        SGD(InverseTimeDecay(0.05, 10, 0.5)),
        Dense(16, "softplus"),
        Dense(2, bias_initializer="ones"),
    ),
    _case(
        "batch_norm",
        _label(),
        _SPARSE,
        SGD(0.1, momentum=0.9),
        Dense(16, use_bias=False),
        BatchNorm(momentum=0.9),
        Activation("tanh"),
        Dense(8, use_bias=False),
        BatchNorm.mindspore(),
        Dense(3),
    ),
    _case(
        "batch_norm-shared",
        _label(),
        _SPARSE,
        SGD(0.1),
        Dense(8, "tanh"),
        _called_twice(BatchNorm(momentum=0.5), 8),
        Dense(3),
    ),
    _sequence_case(),
]
