"""Cases of trainings of other smooth nets: two inputs, and a long training of convolutions."""

from __future__ import annotations

from dnnbridge.base import randomness
from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
)
from dnnbridge.losses import SparseCategoricalCrossentropy
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.optimizers import SGD, Adam
from dnnbridge.optimizers.accumulation import GradientAccumulation
from dnnbridge.optimizers.gradient_rules import ClipByGlobalNorm
from dnnbridge.schedules import CosineDecay
from dnnbridge.testing.cases.training_case import TrainingCase, classes, examples, images, sums

_SPARSE = SparseCategoricalCrossentropy(from_logits=True)


def _two_inputs() -> TrainingCase:
    """Words through a GRU, and numbers; clipped gradients; class weights."""
    words, numbers = Input((5,), "int32", name="words"), Input((4, 5), name="numbers")
    read = GRU(5)(Embedding(7, 4)(words))
    model = Model([words, numbers], Dense(3)(Concatenate()(read, Flatten()(numbers))))
    rule = ClipByGlobalNorm(0.5)
    experiment = Experiment(model, _SPARSE, Adam(0.02), ["accuracy"], seed=3, gradients=rule)
    drawn = randomness.generator(0, "training words").integers(0, 7, (107, 5))
    return TrainingCase(
        "two-inputs",
        experiment,
        {"words": drawn, "numbers": examples()},
        classes(),
        epochs=6,
        class_weight={0: 0.5, 2: 2.0},
    )


def _stateful() -> TrainingCase:
    """States that go from batch to batch, also in evaluation and prediction; accumulation."""
    model = Sequential(
        [
            Input((4, 5), batch_size=11),
            LSTM(4, return_sequences=True, stateful=True),
            GRU(3, stateful=True),
            Dense(3),
        ]
    )
    optimizer = GradientAccumulation(SGD(0.1, momentum=0.9), 2)
    experiment = Experiment(model, _SPARSE, optimizer, ["accuracy"], seed=3)
    whole = slice(9 * 11)
    return TrainingCase("stateful", experiment, examples()[whole], classes()[whole], 11, epochs=4)


def _statistics() -> TrainingCase:
    """The running statistics of convolutions over 50 steps.

    After 100 steps the gradients are so small that NumPy in float32 is 1.2e-5 off. After 50 it is
    3e-6 off.
    """
    layers = (
        Conv2D(4, 3, padding="same", use_bias=False),
        BatchNormalization(momentum=0.9),
        Activation("softplus"),
        AveragePooling2D(2),
        Conv2D(6, 3, use_bias=False),
        BatchNormalization.mindspore(),
        Activation("tanh"),
        Flatten(),
        Dense(3),
    )
    model = Sequential([Input((8, 8, 2)), *layers])
    optimizer = SGD(CosineDecay(0.05, decay_steps=50), momentum=0.9)
    experiment = Experiment(model, _SPARSE, optimizer, ["accuracy"], seed=3)
    x = images(48, 8)
    return TrainingCase("statistics", experiment, x, sums(x), batch_size=10, epochs=10)


MIXED_CASES: list[TrainingCase] = [_two_inputs(), _stateful(), _statistics()]
