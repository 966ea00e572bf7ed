"""Pairs that start in another way; `align` gives both the weights of the first."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import REGRESSION, SENTENCES
from doctor.bench.nets import cell, dense
from doctor.bench.pair import Expected, Pair, sequential, trained


def _wide(keras: Any) -> Any:
    layers = [keras.layers.Dense(64, "sigmoid"), keras.layers.Dense(1)]
    return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(0.05))


def _wide_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Dense(6, 64), nn.Sigmoid(), nn.Dense(64, 1))
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


def _words(keras: Any) -> Any:
    layers = [keras.layers.Embedding(12, 8), keras.layers.Flatten(), keras.layers.Dense(1)]
    return sequential(keras, "6", layers, "mse", keras.optimizers.SGD(0.05))


def _words_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(
        nn.Embedding(12, 8), nn.Flatten(), nn.Dense(48, 1, weight_init="xavier_uniform")
    )
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


def _sloped(keras: Any) -> Any:
    layers = [keras.layers.Dense(8), keras.layers.PReLU(), keras.layers.Dense(1)]
    return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(0.05))


def _sloped_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    start = {"weight_init": "xavier_uniform", "bias_init": "zeros"}
    net = nn.SequentialCell(nn.Dense(6, 8, **start), nn.PReLU(8), nn.Dense(8, 1, **start))
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


PAIRS = (
    Pair(
        "dense-start",
        "start",
        "a Dense starts with a bias of 0 in Keras alone",
        _wide,
        _wide_cell,
        REGRESSION,
        (Expected("start", "dense/bias", "dense-start"),),
    ),
    Pair(
        "embedding-start",
        "start",
        "an Embedding starts within 0.05, and with a deviation of 0.01",
        _words,
        _words_cell,
        SENTENCES,
        (Expected("start", "embedding/embeddings", "embedding-start"),),
    ),
    Pair(
        "prelu-start",
        "start",
        "the slopes of PReLU start at 0 and at 0.25",
        _sloped,
        _sloped_cell,
        REGRESSION,
        (Expected("start", "p_re_lu/slope", "prelu-start"),),
    ),
    Pair(
        "accumulator",
        "start",
        "the squares of Adagrad start at 0.1 and at 1",
        dense(lambda o: o.Adagrad(1e-2)),
        cell(lambda nn, p: nn.Adagrad(p, accum=1.0, learning_rate=1e-2)),
        REGRESSION,
        (Expected("start", "dense/kernel:s", says="initial_accumulator_value"),),
    ),
)
