"""Pairs whose training is set up in another way."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import REGRESSION, SENTENCES
from doctor.bench.nets import cell, dense, normalised
from doctor.bench.pair import Expected, Pair, sequential, trained

VARIANCE = Expected(
    "statistics", "batch_normalization/moving_variance", "batch-norm-variance", "unbiased"
)
FROZEN = Expected("gradient", "dense/kernel", says="frozen")


def _frozen(keras: Any) -> Any:
    layers = [keras.layers.Dense(9, "sigmoid", trainable=False), keras.layers.Dense(1)]
    return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(0.05))


def _frozen_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Dense(6, 9), nn.Sigmoid(), nn.Dense(9, 1))
    for parameter in net[0].get_parameters():
        parameter.requires_grad = False
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.05))


def _by_hand(mindspore: Any) -> Any:
    """A TrainOneStepCell whose network was never set to train."""
    nn = mindspore.nn
    net = nn.SequentialCell(
        nn.Dense(6, 8), nn.BatchNorm1d(8, eps=1e-3, momentum=0.99), nn.Sigmoid(), nn.Dense(8, 1)
    )
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    return nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer).set_train(False)


def _still(keras: Any) -> Any:
    """A BatchNormalization that is frozen, and so predicts while it trains."""
    layers = [
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(trainable=False),
        keras.layers.Activation("sigmoid"),
        keras.layers.Dense(1),
    ]
    return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(0.1))


def _fixed_statistics(mindspore: Any) -> Any:
    """A BatchNorm1d whose gamma and beta are frozen, and which normalises by the batch still."""
    nn = mindspore.nn
    net = nn.SequentialCell(
        nn.Dense(6, 8), nn.BatchNorm1d(8, eps=1e-3, momentum=0.99), nn.Sigmoid(), nn.Dense(8, 1)
    )
    net[1].gamma.requires_grad = False
    net[1].beta.requires_grad = False
    return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 0.1))


def _words(keras: Any) -> Any:
    layers = [keras.layers.Embedding(12, 4), keras.layers.Flatten(), keras.layers.Dense(1)]
    return sequential(keras, "6", layers, "mse", keras.optimizers.Adagrad(0.1))


def _words_cell(mindspore: Any) -> Any:
    nn = mindspore.nn
    net = nn.SequentialCell(nn.Embedding(12, 4), nn.Flatten(), nn.Dense(24, 1))
    return trained(net, nn.MSELoss(), lambda p: nn.Adagrad(p, accum=0.1, learning_rate=0.1))


PAIRS = (
    Pair(
        "accumulation",
        "mechanics",
        "gradient_accumulation_steps=2 in Keras alone",
        dense(lambda o: o.SGD(0.05, gradient_accumulation_steps=2)),
        cell(lambda nn, p: nn.SGD(p, 0.05)),
        REGRESSION,
        (Expected("update", "dense/kernel", says="accumulat"),),
    ),
    Pair(
        "frozen-in-keras",
        "mechanics",
        "trainable=False in Keras alone",
        _frozen,
        cell(lambda nn, p: nn.SGD(p, 0.05)),
        REGRESSION,
        (FROZEN,),
    ),
    Pair(
        "frozen-in-mindspore",
        "mechanics",
        "requires_grad = False in MindSpore alone",
        dense(lambda o: o.SGD(0.05)),
        _frozen_cell,
        REGRESSION,
        (FROZEN,),
    ),
    Pair(
        "never-set-to-train",
        "mechanics",
        "a TrainOneStepCell after set_train(False): BatchNorm1d predicts",
        normalised(lambda o: o.SGD(0.1)),
        _by_hand,
        REGRESSION,
        (Expected("layer", "batch_normalization", says="frozen"), VARIANCE),
    ),
    Pair(
        "frozen-statistics",
        "mechanics",
        "trainable=False fixes the statistics of Keras, requires_grad=False not those of MindSpore",
        _still,
        _fixed_statistics,
        REGRESSION,
        (Expected("layer", "batch_normalization", says="frozen"),),
    ),
    Pair(
        "loss-scale",
        "mechanics",
        "loss_scale=64 of the optimizer, and a loss that nobody scales",
        dense(lambda o: o.SGD(0.05)),
        cell(lambda nn, p: nn.SGD(p, 0.05, loss_scale=64.0)),
        REGRESSION,
        (Expected("update", "dense/kernel", says="ScaleGradients"),),
    ),
    Pair(
        "words-twice",
        "mechanics",
        "Keras does not add up the gradients of a word that a batch has twice",
        _words,
        _words_cell,
        SENTENCES,
        (Expected("update", "embedding/embeddings", "indexed-slices"),),
    ),
    Pair(
        "clipping-by-tensor",
        "mechanics",
        "clipnorm in Keras, and no clipping in MindSpore",
        dense(lambda o: o.SGD(0.05, clipnorm=0.05)),
        cell(lambda nn, p: nn.SGD(p, 0.05)),
        REGRESSION,
        (Expected("update", "dense/kernel", says="ClipBy"),),
    ),
)
