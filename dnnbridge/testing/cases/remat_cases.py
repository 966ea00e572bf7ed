"""A case of a training in which the backward pass computes layers again."""

from __future__ import annotations

from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    LSTM,
    Add,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
)
from dnnbridge.losses import SparseCategoricalCrossentropy
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.models.base import AbstractModel
from dnnbridge.optimizers import SGD
from dnnbridge.testing.cases.training_case import TrainingCase, classes, examples
from dnnbridge.weights.regularizers import L2


def _block(name: str) -> AbstractModel:
    """Everything that a body gives out or takes in: statistics, a mask, a penalty.

    Without a bias before the statistics: its gradient nearly cancels.
    """
    layers = (
        Dense(8, "tanh", use_bias=False, activity_regularizer=L2(0.01)),
        BatchNormalization(momentum=0.9),
        Dropout(0.25),
        Dense(6, "softplus"),
    )
    return Sequential([Input((6,)), *layers], name=name)


def _rematerialised() -> TrainingCase:
    """Nested models, a layer that is called twice, and a recurrent layer, all computed again."""
    x, shared = Input((4, 5)), Dense(6, "tanh", name="shared")
    h = shared(LSTM(6, name="reading")(x))
    h = Add()(h, _block("block_1")(h))
    h = Add()(h, _block("block_2")(shared(h)))
    model = Model(x, Dense(3)(Flatten()(h)))
    experiment = Experiment(
        model,
        SparseCategoricalCrossentropy(from_logits=True),
        SGD(0.05),
        ["accuracy"],
        seed=3,
        remat=("block_*", "shared", "reading"),
    )
    return TrainingCase("rematerialised", experiment, examples(), classes(), epochs=4)


REMAT_CASES: list[TrainingCase] = [_rematerialised()]
