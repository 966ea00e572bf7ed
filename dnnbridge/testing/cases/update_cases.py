"""Cases of trainings with penalties, constraints, decay, accumulation and loss scales."""

from __future__ import annotations

from dnnbridge.experiment import Experiment
from dnnbridge.layers import LSTM, ActivityRegularization, Dense, Flatten, LayerNormalization
from dnnbridge.losses import MeanSquaredError, SparseCategoricalCrossentropy
from dnnbridge.models import Input, Sequential
from dnnbridge.optimizers import SGD, Adam, ExponentialMovingAverage, Lookahead
from dnnbridge.optimizers.gradient_rules import AdaptiveClip, ClipByGlobalNorm
from dnnbridge.optimizers.loss_scale import DynamicLossScale, FixedLossScale
from dnnbridge.optimizers.weight_decay import (
    BIASES_AND_NORMS,
    CoupledWeightDecay,
    DecoupledWeightDecay,
)
from dnnbridge.schedules import ExponentialDecay, Strided
from dnnbridge.testing.cases.training_case import TrainingCase, classes, examples
from dnnbridge.weights.constraints import MaxNorm, MinMaxNorm, NonNeg
from dnnbridge.weights.regularizers import L1, L1L2, L2, OrthogonalRegularizer

_SPARSE = SparseCategoricalCrossentropy(from_logits=True)


def _regularised() -> TrainingCase:
    """A penalty or constraint in every possible field; patterns replace or freeze some."""
    recurrent = LSTM(
        6,
        kernel_regularizer=L1L2(1e-4, 2e-3),
        recurrent_regularizer=L2(1e-3),
        bias_constraint=NonNeg(),
        recurrent_constraint=MinMaxNorm(0.5, 0.9, 0.5),
    )
    hidden = Dense(
        8,
        "tanh",
        kernel_regularizer=L2(0.02),
        activity_regularizer=L2(0.01),
        kernel_constraint=MaxNorm(0.15),
    )
    model = Sequential(
        [
            Input((4, 5)),
            recurrent,
            hidden,
            LayerNormalization(gamma_regularizer=L2(0.1)),
            ActivityRegularization(l2=0.01),
            Dense(8, "softplus", kernel_regularizer=L2(1.0), name="still"),
            Dense(8, "tanh", kernel_regularizer=OrthogonalRegularizer(0.05)),
            Dense(3, kernel_regularizer=L1(0.5), name="head"),
        ]
    )
    experiment = Experiment(
        model,
        _SPARSE,
        SGD(0.05, momentum=0.5, weight_decay=CoupledWeightDecay(0.01, exempt=BIASES_AND_NORMS)),
        ["accuracy"],
        seed=3,
        gradients=AdaptiveClip(0.05, 0.3),
        frozen=("still/*",),
        regularizers={"head/kernel": L2(1e-3), "head/bias": "l2"},
        constraints={"head/*": MaxNorm(0.5)},
    )
    return TrainingCase("regularised", experiment, examples(), classes())


def _scaled() -> TrainingCase:
    """A loss scale that overflows at the first and every fourth step. These steps are skipped."""
    model = Sequential([Input((4, 5)), Flatten(), Dense(8, "tanh"), Dense(2)])
    decay = DecoupledWeightDecay(0.02, exempt=BIASES_AND_NORMS)
    experiment = Experiment(
        model,
        MeanSquaredError(),
        Adam(0.05, weight_decay=decay),
        seed=3,
        loss_scale=DynamicLossScale(2.0**126, 1024.0, growth_steps=3),
    )
    return TrainingCase("loss_scale", experiment, examples(), 40.0 + examples()[:, :2, 0])


def _accumulated() -> TrainingCase:
    """Updates of two batches each. A resume after 13 batches starts within such a window."""
    model = Sequential([Input((4, 5)), Flatten(), Dense(8, "tanh"), Dense(3)])
    rate = Strided(ExponentialDecay(0.2, decay_rate=0.9, decay_steps=5), steps=2, offset=1)
    experiment = Experiment(
        model,
        _SPARSE,
        SGD(rate, momentum=0.9, weight_decay=0.01),
        ["accuracy"],
        seed=3,
        gradients=ClipByGlobalNorm(0.1),
        accumulate=2,
        loss_scale=FixedLossScale(1024.0),
    )
    return TrainingCase("accumulated", experiment, examples()[:97], classes()[:97], epochs=5)


def _averaged() -> TrainingCase:
    """An average around Lookahead around Adam, with a frozen layer."""
    layers = Dense(8, "tanh", name="still"), Dense(8, "tanh"), Dense(3)
    optimizer = ExponentialMovingAverage(Lookahead(Adam(0.02), 4), 0.9, overwrite_every=10)
    experiment = Experiment(
        Sequential([Input((4, 5)), Flatten(), *layers]),
        _SPARSE,
        optimizer,
        seed=3,
        frozen=("still/*",),
    )
    return TrainingCase("averaged", experiment, examples(), classes(), class_weight={1: 2.0})


UPDATE_CASES: list[TrainingCase] = [_regularised(), _scaled(), _accumulated(), _averaged()]
