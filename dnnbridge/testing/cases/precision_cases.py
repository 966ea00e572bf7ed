"""Trainings in each precision, and equations whose numbers are exact but for their roundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.graph import TensorType
from dnnbridge.layers import (
    LSTM,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    LayerNormalization,
    MaxPooling2D,
    MultiHeadAttention,
)
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.models.base import AbstractModel
from dnnbridge.optimizers import SGD, Adam
from dnnbridge.program.precision import (
    AbstractPrecision,
    Float64,
    MixedBFloat16,
    MixedFloat16,
)


def _attention() -> AbstractModel:
    words = Input((6,), dtype="int32")
    x = Embedding(9, 8)(words)
    y = LayerNormalization()(Add()(x, MultiHeadAttention(2, 4)(x, x)))
    return Model(words, Dense(3)(GlobalAveragePooling1D()(y)))


MODELS: dict[str, AbstractModel] = {
    "dense": Sequential(
        [Input((12,)), Dense(16, "tanh"), Dropout(0.25), Dense(3, "softmax", name="head")]
    ),
    "images": Sequential(
        [
            Input((8, 8, 2)),
            Conv2D(6, 3, use_bias=False),
            BatchNormalization(),
            MaxPooling2D(2),
            Conv2D(4, 2, activation="sigmoid"),
            Flatten(),
            Dense(3),
        ]
    ),
    "lstm": Sequential([Input((5, 4)), LSTM(6), Dense(3)]),
    "attention": _attention(),
}
"""Models with every kind of operation of the table of precisions."""

PRECISIONS: tuple[AbstractPrecision, ...] = (MixedFloat16(), MixedBFloat16(), Float64())


@dataclass(frozen=True, eq=False)
class PrecisionCase:
    """A training in a precision."""

    id: str
    experiment: Experiment


LEFT_OUT = {("MixedBFloat16", "images"), ("MixedBFloat16", "lstm")}
"""Trainings that would show nothing that another one does not."""


def _cases() -> list[PrecisionCase]:
    made = []
    for precision in PRECISIONS:
        word = type(precision).__name__
        for name, model in MODELS.items():
            if (word, name) in LEFT_OUT:
                continue
            optimizer = SGD(0.1, momentum=0.9) if name == "images" else Adam(0.01)
            loss = "mean_squared_error"
            experiment = Experiment(model, loss, optimizer, precision=precision)
            made.append(PrecisionCase(f"{word}-{name}", experiment))
    kept = Experiment(
        MODELS["dense"], "mse", "sgd", precision=MixedFloat16(("head",)), loss_scale=256.0
    )
    plain = Experiment(MODELS["dense"], "mse", "sgd")
    return [
        *made,
        PrecisionCase("MixedFloat16-kept", kept),
        PrecisionCase("Float32-dense", plain),
    ]


PRECISION_CASES = _cases()


@dataclass(frozen=True, eq=False)
class RoundingCase:
    """A layer on whole numbers, in a lower type.

    All sums are exact in float32, but too long for the lower type. So every implementation that
    rounds where the table says has the same bits, and one that rounds elsewhere has others.

    Attributes:
        layer: what is called.
        types: of its inputs.
        largest: bound of the whole numbers.
    """

    id: str
    layer: AbstractModel
    precision: AbstractPrecision
    largest: int

    @property
    def input(self) -> TensorType:
        (type,) = self.layer.input_types.values()
        return type

    def numbers(self, name: str, shape: tuple[int, ...]) -> Array:
        rng = randomness.generator(0, "rounding case", self.id, name)
        return np.asarray(rng.integers(-self.largest, self.largest + 1, shape), np.float64)


def _rounding_cases() -> list[RoundingCase]:
    models = {
        "dense": Sequential([Input((40,)), Dense(7, "relu")]),
        "images": Sequential(
            [Input((6, 6, 4)), Conv2D(5, 3, activation="relu"), MaxPooling2D(2), Flatten()]
        ),
    }
    bounds = {"MixedFloat16": 40, "MixedBFloat16": 12}
    return [
        RoundingCase(f"{type(each).__name__}-bits-{name}", model, each, bounds[type(each).__name__])
        for each in PRECISIONS[:2]
        for name, model in models.items()
    ]


ROUNDING_CASES = _rounding_cases()
