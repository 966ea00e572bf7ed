"""Pairs that agree: translations with every argument that makes the two frameworks equal."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import BINARY, CLASSIFICATION, PICTURES, REGRESSION, SENTENCES, SEQUENCES
from doctor.bench.nets import cell, dense
from doctor.bench.pair import Pair, sequential, trained


def _adam(optimizers):
    return optimizers.Adam(1e-2)


def _adam_cell(nn, params):
    return nn.Adam(params, 1e-2, eps=1e-7)


def _images(keras: Any) -> Any:
    layers = [
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return sequential(keras, (8, 8, 3), layers, loss, _adam(keras.optimizers))


def _images_cell(mindspore: Any) -> Any:
    nn = mindspore.nn

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, pad_mode="valid", has_bias=True)
            self.relu = nn.ReLU()
            self.pool = nn.MaxPool2d(2, 2)
            self.flatten = nn.Flatten()
            self.head = nn.Dense(36, 3)

        def construct(self, x: Any) -> Any:
            x = self.pool(self.relu(self.conv(x)))
            return self.head(self.flatten(x))

    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return trained(Net(), loss, lambda p: _adam_cell(nn, p))


def _series(kind: str, **given: Any) -> Any:
    def program(keras: Any) -> Any:
        layers = [getattr(keras.layers, kind)(3, **given), keras.layers.Dense(1)]
        return sequential(keras, (5, 4), layers, "mse", _adam(keras.optimizers))

    return program


def _series_cell(kind: str, **given: Any) -> Any:
    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.inner = getattr(nn, kind)(4, 3, batch_first=True, **given)
                self.head = nn.Dense(3, 1)

            def construct(self, x: Any) -> Any:
                x, _ = self.inner(x)
                return self.head(x[:, -1])

        return trained(Net(), nn.MSELoss(), lambda p: _adam_cell(nn, p))

    return program


def _words(keras: Any) -> Any:
    layers = [
        keras.layers.Embedding(12, 4),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(1),
    ]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return sequential(keras, "6", layers, loss, keras.optimizers.SGD(0.1))


def _words_cell(mindspore: Any) -> Any:
    nn = mindspore.nn

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(12, 4)
            self.head = nn.Dense(4, 1)

        def construct(self, x: Any) -> Any:
            return self.head(self.embedding(x).mean(1))

    return trained(Net(), nn.BCEWithLogitsLoss(), lambda p: nn.SGD(p, 0.1))


def _normal(keras: Any) -> Any:
    """A fine-tuning: the BatchNormalization is frozen."""
    layers = [
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(trainable=False),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
    return sequential(keras, (6,), layers, "mse", _adam(keras.optimizers))


def _normal_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    norm = nn.BatchNorm1d(8, eps=1e-3, momentum=0.99, use_batch_statistics=False)
    norm.gamma.requires_grad = norm.beta.requires_grad = False
    net = nn.SequentialCell(nn.Dense(6, 8), norm, nn.ReLU(), nn.Dense(8, 1))
    return trained(net, nn.MSELoss(), lambda p: _adam_cell(nn, p))


def _pair(name: str, what: str, keras: Any, mindspore: Any, data: Any) -> Pair:
    return Pair(name, "none", what, keras, mindspore, data)


PAIRS = (
    _pair(
        "plain-relu",
        "SGD over a net with a ReLU",
        dense(lambda o: o.SGD(0.1), activation="relu"),
        cell(lambda nn, p: nn.SGD(p, 0.1), activation=lambda nn: nn.ReLU()),
        REGRESSION,
    ),
    _pair(
        "momentum",
        "momentum at a constant rate",
        dense(lambda o: o.SGD(0.1, momentum=0.9)),
        cell(lambda nn, p: nn.Momentum(p, 0.1, 0.9)),
        REGRESSION,
    ),
    _pair(
        "nesterov",
        "Nesterov's momentum at a constant rate",
        dense(lambda o: o.SGD(0.1, momentum=0.9, nesterov=True)),
        cell(lambda nn, p: nn.SGD(p, 0.1, momentum=0.9, nesterov=True)),
        REGRESSION,
    ),
    _pair(
        "adadelta",
        "Adadelta with the numbers of Keras",
        dense(lambda o: o.Adadelta(1.0)),
        cell(lambda nn, p: nn.Adadelta(p, 1.0, rho=0.95, epsilon=1e-7)),
        REGRESSION,
    ),
    _pair(
        "schedule",
        "Adam under an exponential decay, and a loss of logits",
        dense(
            lambda o: o.Adam(o.schedules.ExponentialDecay(0.01, 2, 0.9)),
            lambda losses: losses.BinaryCrossentropy(from_logits=True),
        ),
        cell(
            lambda nn, p: nn.Adam(p, nn.ExponentialDecayLR(0.01, 0.9, 2), eps=1e-7),
            lambda nn: nn.BCEWithLogitsLoss(),
        ),
        BINARY,
    ),
    _pair(
        "images",
        "a Flatten of channels first: the weights behind it are moved",
        _images,
        _images_cell,
        PICTURES,
    ),
    _pair(
        "lstm",
        "an LSTM without biases",
        _series("LSTM", use_bias=False),
        _series_cell("LSTM", has_bias=False),
        SEQUENCES,
    ),
    _pair("gru", "a GRU with both biases", _series("GRU"), _series_cell("GRU"), SEQUENCES),
    _pair("words", "the mean of an Embedding", _words, _words_cell, SENTENCES),
    _pair("frozen-norm", "a frozen BatchNormalization", _normal, _normal_cell, REGRESSION),
    _pair(
        "classes",
        "classes as numbers",
        dense(
            _adam,
            lambda losses: losses.SparseCategoricalCrossentropy(from_logits=True),
            "gelu",
            units=3,
        ),
        cell(
            _adam_cell,
            lambda nn: nn.CrossEntropyLoss(),
            lambda nn: nn.GELU(approximate=False),
            units=3,
        ),
        CLASSIFICATION,
    ),
)
