"""Pairs whose layers differ: normalization, activations, dropout, arrays."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import REGRESSION, SEQUENCES
from doctor.bench.nets import normalised, normalised_cell
from doctor.bench.pair import Expected, Pair, sequential, trained

BATCH_NORM = "batch_normalization"
VARIANCE = Expected(
    "statistics", f"{BATCH_NORM}/moving_variance", "batch-norm-variance", "unbiased"
)


def between(make: Any) -> Any:
    """Return what makes a Keras program with some layers between two of Dense."""

    def program(keras: Any) -> Any:
        layers = [keras.layers.Dense(8), *make(keras.layers), keras.layers.Dense(1)]
        return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(0.05))

    return program


def between_cells(make: Any) -> Any:
    """Return what makes a MindSpore program with some Cells between two of Dense."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn
        net = nn.SequentialCell(nn.Dense(6, 8), *make(nn), nn.Dense(8, 1))
        return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))

    return program


def _axis(keras: Any) -> Any:
    layers = [keras.layers.Dense(4), keras.layers.Softmax(axis=1), keras.layers.Flatten()]
    return sequential(
        keras, (5, 4), [*layers, keras.layers.Dense(1)], "mse", keras.optimizers.SGD(0.05)
    )


def _axis_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Dense(4, 4), nn.Softmax(), nn.Flatten(), nn.Dense(20, 1))
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


def _gated(keras: Any) -> Any:
    layers = [keras.layers.LSTM(3), keras.layers.Dense(1)]
    return sequential(keras, (5, 4), layers, "mse", keras.optimizers.SGD(0.05))


def _gated_cell(mindspore: Any) -> Any:
    nn = mindspore.nn

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(4, 3, batch_first=True)
            self.head = nn.Dense(3, 1)

        def construct(self, x: Any) -> Any:
            outputs, _ = self.lstm(x)
            return self.head(outputs[:, -1])

    return trained(Net(), nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


PAIRS = (
    Pair(
        "batch-norm-defaults",
        "layer",
        "BatchNormalization() and BatchNorm1d(8): epsilon, momentum, variance",
        normalised(lambda o: o.SGD(0.1)),
        normalised_cell(lambda nn, p: nn.SGD(p, 0.1)),
        REGRESSION,
        (
            Expected("layer", BATCH_NORM, "batch-norm-defaults", "epsilon"),
            Expected("statistics", f"{BATCH_NORM}/moving_mean", "batch-norm-defaults", "momentum"),
            VARIANCE,
        ),
    ),
    Pair(
        "batch-norm-variance",
        "layer",
        "the same epsilon and momentum: the running variance alone",
        normalised(lambda o: o.SGD(0.1), epsilon=1e-5, momentum=0.9),
        normalised_cell(lambda nn, p: nn.SGD(p, 0.1)),
        REGRESSION,
        (VARIANCE,),
    ),
    Pair(
        "layer-norm-epsilon",
        "layer",
        "LayerNormalization() and LayerNorm((8,)): epsilon 1e-3 and 1e-7",
        between(lambda layers: [layers.LayerNormalization()]),
        between_cells(lambda nn: [nn.LayerNorm((8,))]),
        REGRESSION,
        (Expected("layer", "layer_normalization", "layer-norm-epsilon", "epsilon"),),
    ),
    Pair(
        "dropout-argument",
        "layer",
        "Dropout(0.1) drops a tenth, nn.Dropout(0.1) keeps a tenth",
        between(lambda layers: [layers.Dropout(0.1)]),
        between_cells(lambda nn: [nn.Dropout(0.1)]),
        REGRESSION,
        (Expected("layer", "dropout", "dropout-argument", "rate"),),
    ),
    Pair(
        "gelu",
        "layer",
        "gelu is exact in Keras, nn.GELU() approximate",
        between(lambda layers: [layers.Activation("gelu")]),
        between_cells(lambda nn: [nn.GELU()]),
        REGRESSION,
        (Expected("layer", "activation", "gelu-approximate", "approximate"),),
    ),
    Pair(
        "leaky-relu",
        "layer",
        "LeakyReLU() has a slope of 0.3 and of 0.2",
        between(lambda layers: [layers.LeakyReLU()]),
        between_cells(lambda nn: [nn.LeakyReLU()]),
        REGRESSION,
        (Expected("layer", "leaky_re_lu", "leaky-relu-slope", "negative_slope"),),
    ),
    Pair(
        "elu",
        "layer",
        "ELU(alpha=0.5) beside ELU()",
        between(lambda layers: [layers.ELU(alpha=0.5)]),
        between_cells(lambda nn: [nn.ELU()]),
        REGRESSION,
        (Expected("layer", "elu", says="alpha"),),
    ),
    Pair(
        "activation-forgotten",
        "layer",
        "Dense(8, 'relu') became nn.Dense(8, 8) without an activation",
        between(lambda layers: [layers.Dense(8, activation="relu")]),
        between_cells(lambda nn: [nn.Dense(8, 8)]),
        REGRESSION,
        (Expected("layer", "dense_1", says="activation"),),
    ),
    Pair(
        "softmax-axis",
        "layer",
        "Softmax over the steps, and over the features",
        _axis,
        _axis_cell,
        SEQUENCES,
        (Expected("layer", "softmax", says="axis"),),
    ),
    Pair(
        "two-biases",
        "layer",
        "an LSTM has one bias in Keras and two in MindSpore, which learn twice as fast",
        _gated,
        _gated_cell,
        SEQUENCES,
        (Expected("update", "lstm/bias", "lstm-biases"),),
    ),
    Pair(
        "bias-forgotten",
        "layer",
        "a bias in Keras alone",
        between(lambda layers: [layers.Dense(8)]),
        between_cells(lambda nn: [nn.Dense(8, 8, has_bias=False)]),
        REGRESSION,
        (Expected("refused", "dense_1/bias"),),
    ),
    Pair(
        "norm-in-the-wrong-place",
        "layer",
        "the activation before the normalization, and after it",
        between(lambda layers: [layers.LayerNormalization(epsilon=1e-5), layers.ReLU()]),
        between_cells(lambda nn: [nn.ReLU(), nn.LayerNorm((8,), epsilon=1e-5)]),
        REGRESSION,
        (Expected("layer", "layer_normalization", says="LayerNormalization"),),
    ),
)
