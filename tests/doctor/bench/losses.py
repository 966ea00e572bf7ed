"""Pairs whose losses differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from doctor.bench.data import BINARY, CLASSIFICATION, ONE_OF_THREE, REGRESSION, ROWS, SUMS
from doctor.bench.nets import cell, dense
from doctor.bench.pair import Expected, Pair, sequential, trained


def _adam(optimizers):
    return optimizers.Adam(1e-2)


def _adam_cell(nn, params):
    return nn.Adam(params, 1e-2, eps=1e-7)


def _sure(keras: Any) -> Any:
    """A program whose last layer is a sigmoid of large numbers."""
    layers = [keras.layers.Dense(1, activation="sigmoid")]
    return sequential(keras, (6,), layers, "binary_crossentropy", keras.optimizers.SGD(0.1))


def _sure_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Dense(6, 1), nn.Sigmoid())
    return trained(net, nn.BCELoss(reduction="mean"), lambda p: nn.SGD(p, 0.1))


def _softmax(keras: Any) -> Any:
    layers = [keras.layers.Dense(8, "sigmoid"), keras.layers.Dense(3, activation="softmax")]
    loss = keras.losses.SparseCategoricalCrossentropy()
    return sequential(keras, (6,), layers, loss, keras.optimizers.SGD(0.1))


def _softmax_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Dense(6, 8), nn.Sigmoid(), nn.Dense(8, 3), nn.Softmax())
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return trained(net, loss, lambda p: nn.SGD(p, 0.1))


PAIRS = (
    Pair(
        "softmax-twice",
        "loss",
        "a model with a softmax, and a loss of logits",
        _softmax,
        _softmax_cell,
        CLASSIFICATION,
        (Expected("loss", "loss", says="from_logits"),),
    ),
    Pair(
        "sum-of-errors",
        "loss",
        "reduction='sum' is of all elements in MindSpore, of examples in Keras",
        dense(
            lambda o: o.SGD(1e-3), lambda losses: losses.MeanSquaredError(reduction="sum"), units=3
        ),
        cell(lambda nn, p: nn.SGD(p, 1e-3), lambda nn: nn.MSELoss(reduction="sum"), units=3),
        (ROWS, ROWS[:, :3] * np.float32(0.5)),
        (Expected("loss", "loss", "reduction-sum"),),
    ),
    Pair(
        "sum-beside-mean",
        "loss",
        "a mean in Keras, a sum in MindSpore",
        dense(lambda o: o.SGD(1e-2), "mae"),
        cell(lambda nn, p: nn.SGD(p, 1e-2), lambda nn: nn.L1Loss(reduction="sum")),
        REGRESSION,
        (Expected("loss", "loss", says="reduction"),),
    ),
    Pair(
        "label-smoothing",
        "loss",
        "label_smoothing in Keras alone",
        dense(
            _adam,
            lambda losses: losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
            units=3,
        ),
        cell(_adam_cell, lambda nn: nn.SoftmaxCrossEntropyWithLogits(reduction="mean"), units=3),
        ONE_OF_THREE,
        (Expected("loss", "loss", says="label_smoothing"),),
    ),
    Pair(
        "huber-delta",
        "loss",
        "delta of Huber is 1 and 0.5",
        dense(_adam, lambda losses: losses.Huber()),
        cell(_adam_cell, lambda nn: nn.HuberLoss(delta=0.5)),
        REGRESSION,
        (Expected("loss", "loss", says="delta"),),
    ),
    Pair(
        "another-loss",
        "loss",
        "mean squared error beside SmoothL1Loss",
        dense(_adam),
        cell(_adam_cell, lambda nn: nn.SmoothL1Loss(reduction="mean")),
        REGRESSION,
        (Expected("loss", "loss", says="Huber"),),
    ),
    Pair(
        "sure-and-wrong",
        "loss",
        "BCELoss of a sure wrong answer is 27.6, in Keras 16.1",
        _sure,
        _sure_cell,
        (ROWS * np.float32(100.0), BINARY[1]),
        (Expected("loss", "loss", "bce-clipping"),),
    ),
    Pair(
        "far-logits",
        "loss",
        "the mean of MindSpore's cross-entropy is infinite for logits that are far apart",
        dense(
            lambda o: o.SGD(1e-3),
            lambda losses: losses.SparseCategoricalCrossentropy(from_logits=True),
            "linear",
            units=3,
        ),
        cell(
            lambda nn, p: nn.SGD(p, 1e-3),
            lambda nn: nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"),
            lambda nn: nn.Identity(),
            units=3,
        ),
        (ROWS * np.float32(300.0), CLASSIFICATION[1]),
        (Expected("loss", "loss", "sparse-mean-infinite"),),
    ),
    Pair(
        "default-reduction",
        "loss",
        "SoftmaxCrossEntropyWithLogits() has no mean by default",
        dense(
            lambda o: o.SGD(1e-2),
            lambda losses: losses.SparseCategoricalCrossentropy(from_logits=True),
            units=3,
        ),
        cell(
            lambda nn, p: nn.SGD(p, 1e-2),
            lambda nn: nn.SoftmaxCrossEntropyWithLogits(sparse=True),
            units=3,
        ),
        CLASSIFICATION,
        (Expected("loss", "loss", "cross-entropy-shape"),),
    ),
    Pair(
        "a-row-of-labels",
        "loss",
        "labels of the shape (n,): MindSpore compares each prediction with each label",
        dense(_adam),
        cell(_adam_cell),
        (ROWS, SUMS[:, 0]),
        (Expected("loss", "loss", "mse-broadcast"),),
    ),
    Pair(
        "binary-sum",
        "loss",
        "a mean of binary cross-entropies in Keras, a sum in MindSpore",
        dense(_adam, lambda losses: losses.BinaryCrossentropy(from_logits=True)),
        cell(_adam_cell, lambda nn: nn.BCEWithLogitsLoss(reduction="sum")),
        BINARY,
        (Expected("loss", "loss", says="reduction"),),
    ),
)
