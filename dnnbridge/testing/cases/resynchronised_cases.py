"""Cases of trainings with kinks: ReLU and similar activations, max pooling, absolute values."""

from __future__ import annotations

from dnnbridge.activations import LeakyReLU
from dnnbridge.base import randomness
from dnnbridge.experiment import Experiment
from dnnbridge.layers import (
    GRU,
    LSTM,
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    LayerNormalization,
    MaxPooling2D,
    MultiHeadAttention,
    TimeDistributed,
)
from dnnbridge.losses import MeanAbsoluteError, SparseCategoricalCrossentropy
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.optimizers import SGD, Adam
from dnnbridge.optimizers.gradient_rules import ClipByGlobalNorm
from dnnbridge.schedules import ExponentialDecay
from dnnbridge.testing.cases.training_case import TrainingCase, classes, examples, images, sums
from dnnbridge.testing.tolerances import ONE_STEP_GATED, ONE_STEP_NORMALISED

_SPARSE = SparseCategoricalCrossentropy(from_logits=True)
_SGD = SGD(ExponentialDecay(0.1, decay_rate=0.9, decay_steps=5), momentum=0.9)


def _dense() -> TrainingCase:
    """ReLU, LeakyReLU and dropout, with class weights."""
    hidden = Dense(32, "relu"), Dropout(0.2), Dense(16, LeakyReLU(0.1)), Dense(3)
    model = Sequential([Input((4, 5)), Flatten(), *hidden])
    experiment = Experiment(model, _SPARSE, _SGD, seed=3)
    weights = {0: 0.5, 2: 2.0}
    return TrainingCase("relu", experiment, examples(), classes(), epochs=5, class_weight=weights)


def _lenet() -> TrainingCase:
    """Convolutions and max pooling; the last batch has 2 images."""
    layers = (
        Conv2D(4, 3, padding="same", activation="relu"),
        MaxPooling2D(2),
        Conv2D(6, 3, activation="relu"),
        MaxPooling2D(2, 1),
        Flatten(),
        Dense(16, "relu"),
        Dense(3),
    )
    experiment = Experiment(Sequential([Input((10, 10, 2)), *layers]), _SPARSE, _SGD, seed=3)
    x = images()
    return TrainingCase("lenet", experiment, x, sums(x), batch_size=16, epochs=6)


def _resnet() -> TrainingCase:
    """A block of a ResNet with running statistics over 32 steps; the first layer is frozen."""
    image = Input((8, 8, 2))
    stem = Activation("relu")(
        BatchNormalization()(Conv2D(6, 3, padding="same", use_bias=False)(image))
    )
    y = Activation("relu")(BatchNormalization()(Conv2D(6, 3, padding="same", use_bias=False)(stem)))
    y = BatchNormalization.mindspore()(Conv2D(6, 3, padding="same", use_bias=False)(y))
    block = Activation("relu")(Add()(stem, y))
    model = Model(image, Dense(3)(GlobalAveragePooling2D()(block)))
    experiment = Experiment(model, _SPARSE, _SGD, seed=3, frozen=("conv2d/*",))
    x = images(48, 8)
    tolerance = ONE_STEP_NORMALISED
    return TrainingCase(
        "resnet", experiment, x, sums(x), batch_size=12, epochs=8, one_step=tolerance
    )


def _transformer() -> TrainingCase:
    """A block of attention with its feed-forward part, then a maximum over time."""
    x = Input((4, 5))
    rows = Dense(8)(x)
    seen = LayerNormalization()(Add()(rows, MultiHeadAttention(2, 4, use_bias=False)(rows, rows)))
    made = Add()(seen, TimeDistributed(Dense(8))(TimeDistributed(Dense(16, "relu"))(seen)))
    model = Model(x, Dense(3)(GlobalMaxPooling1D()(LayerNormalization()(made))))
    experiment = Experiment(model, _SPARSE, Adam(0.01), seed=3)
    return TrainingCase("transformer", experiment, examples(), classes(), epochs=4)


def _recurrent() -> TrainingCase:
    """Two recurrent layers between dense layers, and an absolute error as loss."""
    layers = Dense(8, "relu"), LSTM(5, return_sequences=True), GRU(4), Dense(6, "relu"), Dense(2)
    experiment = Experiment(
        Sequential([Input((4, 5)), *layers]), MeanAbsoluteError(), Adam(0.01), seed=3
    )
    y = examples()[:, :2, 0] ** 2
    tolerance = ONE_STEP_GATED
    return TrainingCase("recurrent-relu", experiment, examples(), y, epochs=4, one_step=tolerance)


def _mixed() -> TrainingCase:
    """Words and numbers; two batches per update; clipped gradients; sample weights."""
    words, numbers = Input((3,), "int32", name="words"), Input((4, 5), name="numbers")
    both = Concatenate()(Flatten()(Embedding(7, 4)(words)), Flatten()(numbers))
    model = Model([words, numbers], Dense(3)(Dense(12, "relu")(both)))
    experiment = Experiment(
        model, _SPARSE, Adam(0.02), seed=3, gradients=ClipByGlobalNorm(0.5), accumulate=2
    )
    given = {
        "words": randomness.generator(0, "training words").integers(0, 7, (107, 3)),
        "numbers": examples(),
    }
    weights = randomness.generator(0, "training weights").random(107)
    return TrainingCase(
        "mixed-inputs", experiment, given, classes(), epochs=5, sample_weight=weights
    )


RESYNCHRONISED_CASES: list[TrainingCase] = [
    _dense(),
    _lenet(),
    _resnet(),
    _transformer(),
    _recurrent(),
    _mixed(),
]
