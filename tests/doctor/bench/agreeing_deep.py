"""Pairs of ten or more layers that agree."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import PICTURES, REGRESSION, SEQUENCES
from doctor.bench.deep import perceptron, perceptron_cell, residual, residual_cell
from doctor.bench.deep_pairs import adam, adam_cell, sgd, sgd_cell
from doctor.bench.deep_series import recurrent, recurrent_cell, transformer, transformer_cell
from doctor.bench.pair import Pair, sequential, trained


def _images(frozen: bool) -> Any:
    """Return what makes a convolutional net whose normalization does not move its statistics."""

    def program(keras: Any) -> Any:
        layers = []
        for filters, strides in ((4, 1), (6, 2), (8, 2)):
            norm = (
                keras.layers.BatchNormalization(trainable=False)
                if frozen
                else keras.layers.GroupNormalization(2, epsilon=1e-5)
            )
            convolution = keras.layers.Conv2D(filters, 3, strides, padding="same")
            layers += [convolution, norm, keras.layers.ReLU()]
        layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return sequential(keras, (8, 8, 3), layers, loss, keras.optimizers.SGD(0.05))

    return program


def _images_cell(frozen: bool) -> Any:
    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                cells, inputs = [], 3
                for filters, strides in ((4, 1), (6, 2), (8, 2)):
                    cells += [
                        nn.Conv2d(inputs, filters, 3, strides, has_bias=True),
                        _norm(nn, filters, frozen),
                        nn.ReLU(),
                    ]
                    inputs = filters
                self.features = nn.SequentialCell(*cells)
                self.head = nn.Dense(8, 3)

            def construct(self, x: Any) -> Any:
                return self.head(self.features(x).mean((2, 3)))

        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        return trained(Net(), loss, lambda params: nn.SGD(params, 0.05))

    return program


def _norm(nn: Any, filters: int, frozen: bool) -> Any:
    if not frozen:
        return nn.GroupNorm(2, filters)
    norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.99, use_batch_statistics=False)
    norm.gamma.requires_grad = norm.beta.requires_grad = False
    return norm


def _pair(name: str, what: str, keras: Any, mindspore: Any, data: Any) -> Pair:
    return Pair(f"deep-{name}", "none", what, keras, mindspore, data)


PAIRS = (
    _pair(
        "perceptron",
        "a perceptron with GELU, SGD",
        perceptron(sgd, epsilon=1e-5),
        perceptron_cell(sgd_cell, epsilon=1e-5),
        REGRESSION,
    ),
    _pair(
        "relu",
        "a perceptron with ReLU, Adam",
        perceptron(adam, activation="relu", epsilon=1e-5),
        perceptron_cell(adam_cell, activation=lambda nn: nn.ReLU(), epsilon=1e-5),
        REGRESSION,
    ),
    _pair(
        "residual",
        "a residual net, momentum",
        residual(lambda o: o.SGD(0.01, momentum=0.9)),
        residual_cell(lambda nn, p: nn.SGD(p, 0.01, momentum=0.9)),
        REGRESSION,
    ),
    _pair(
        "residual-relu",
        "a residual net with ReLU, Adam",
        residual(adam, "relu"),
        residual_cell(adam_cell, lambda nn: nn.ReLU()),
        REGRESSION,
    ),
    _pair(
        "residual-cosine",
        "a residual net under a cosine decay, Huber's loss",
        residual(
            lambda o: o.Adam(o.schedules.CosineDecay(0.01, 6, alpha=0.1)),
            loss=lambda losses: losses.Huber(),
        ),
        residual_cell(
            lambda nn, p: nn.Adam(p, nn.CosineDecayLR(1e-3, 0.01, 6), eps=1e-7),
            loss=lambda nn: nn.HuberLoss(),
        ),
        REGRESSION,
    ),
    _pair("gru", "two GRUs", recurrent("GRU", adam), recurrent_cell("GRU", adam_cell), SEQUENCES),
    _pair(
        "lstm",
        "two LSTMs without biases",
        recurrent("LSTM", sgd, use_bias=False),
        recurrent_cell("LSTM", sgd_cell, has_bias=False),
        SEQUENCES,
    ),
    _pair(
        "transformer",
        "two blocks of attention",
        transformer(adam),
        transformer_cell(adam_cell),
        SEQUENCES,
    ),
    _pair(
        "frozen-norm",
        "a convolutional net with frozen BatchNormalizations",
        _images(frozen=True),
        _images_cell(frozen=True),
        PICTURES,
    ),
    _pair(
        "group-norm",
        "a convolutional net with GroupNormalization",
        _images(frozen=False),
        _images_cell(frozen=False),
        PICTURES,
    ),
)
