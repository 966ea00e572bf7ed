"""Pairs of ten or more layers with one or two differences."""

from __future__ import annotations

import numpy as np
from doctor.bench.data import FAINT, PICTURES, REGRESSION, SEQUENCES
from doctor.bench.deep import (
    convolutional,
    convolutional_cell,
    perceptron,
    perceptron_cell,
    residual,
    residual_cell,
)
from doctor.bench.deep_series import recurrent, recurrent_cell, transformer, transformer_cell
from doctor.bench.pair import Expected, Pair

LIKE_KERAS = {"eps": 1e-3, "momentum": 0.99}
LIKE_MINDSPORE = {"epsilon": 1e-5, "momentum": 0.9}
NORM, CONV = "batch_normalization", "conv2d"
VARIANCE = Expected("statistics", f"{NORM}/moving_variance", "batch-norm-variance", "unbiased")


def sgd(optimizers):
    return optimizers.SGD(0.05)


def sgd_cell(nn, params):
    return nn.SGD(params, 0.05)


def adam(optimizers):
    return optimizers.Adam(1e-3)


def adam_cell(nn, params):
    return nn.Adam(params, 1e-3, eps=1e-7)


PAIRS = (
    Pair(
        "deep-adam-defaults",
        "optimizer",
        "Adam() of each over a residual net",
        residual(adam),
        residual_cell(lambda nn, p: nn.Adam(p, 1e-3)),
        FAINT,
        (Expected("update", "dense/kernel", "adam-epsilon", "epsilon"),),
    ),
    Pair(
        "deep-layer-norm-epsilon",
        "layer",
        "LayerNormalization() and LayerNorm((8,)), five times",
        perceptron(sgd),
        perceptron_cell(sgd_cell),
        REGRESSION,
        (Expected("layer", "layer_normalization", "layer-norm-epsilon", "epsilon"),),
    ),
    Pair(
        "deep-gelu-and-boundary",
        "layer",
        "gelu and nn.GELU(), and a boundary one step earlier",
        residual(lambda o: o.SGD(o.schedules.PiecewiseConstantDecay([1], [0.02, 0.01])), "gelu"),
        residual_cell(
            lambda nn, p: nn.SGD(p, nn.piecewise_constant_lr([1, 12], [0.02, 0.01])),
            lambda nn: nn.GELU(),
        ),
        REGRESSION,
        (
            Expected("layer", "dense_1", "gelu-approximate", "approximate"),
            Expected("update", "dense/kernel", "piecewise-boundary"),
        ),
    ),
    Pair(
        "deep-weight-decay",
        "optimizer",
        "Adam(weight_decay): decoupled and coupled",
        perceptron(lambda o: o.Adam(1e-3, weight_decay=0.05), epsilon=1e-5),
        perceptron_cell(lambda nn, p: nn.Adam(p, 1e-3, eps=1e-7, weight_decay=0.05), epsilon=1e-5),
        REGRESSION,
        (Expected("update", "dense/kernel", "weight-decay-coupled", "weight_decay"),),
    ),
    Pair(
        "deep-piecewise",
        "schedule",
        "a boundary one step earlier",
        perceptron(
            lambda o: o.SGD(o.schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.05, 0.01])),
            epsilon=1e-5,
        ),
        perceptron_cell(
            lambda nn, p: nn.SGD(p, nn.piecewise_constant_lr([1, 3, 12], [0.1, 0.05, 0.01])),
            epsilon=1e-5,
        ),
        REGRESSION,
        (Expected("update", "dense/kernel", "piecewise-boundary"),),
    ),
    Pair(
        "deep-tanh",
        "kernel",
        "tanh of MindSpore in a residual net, four times",
        residual(lambda o: o.SGD(1e-3), "tanh"),
        residual_cell(lambda nn, p: nn.SGD(p, 1e-3), lambda nn: nn.Tanh()),
        (REGRESSION[0] * np.float32(3.0), REGRESSION[1]),
        (Expected("layer", "dense_1", "tanh"),),
    ),
    Pair(
        "deep-activation-forgotten",
        "layer",
        "an identity in the place of each ReLU",
        perceptron(sgd, activation="relu", epsilon=1e-5),
        perceptron_cell(sgd_cell, activation=lambda nn: nn.Identity(), epsilon=1e-5),
        REGRESSION,
        (Expected("layer", "activation", says="ReLU"),),
    ),
    Pair(
        "deep-selu-gradient",
        "kernel",
        "the gradient of SeLU, five times",
        perceptron(sgd, activation="selu", epsilon=1e-5),
        perceptron_cell(sgd_cell, activation=lambda nn: nn.SeLU(), epsilon=1e-5),
        REGRESSION,
        (Expected("gradient", "dense/kernel", "selu-gradient"),),
    ),
    Pair(
        "deep-batch-norm-defaults",
        "layer",
        "BatchNormalization() and BatchNorm2d(c): epsilon, momentum, variance",
        convolutional(sgd),
        convolutional_cell(sgd_cell),
        PICTURES,
        (
            Expected("layer", NORM, "batch-norm-defaults", "epsilon"),
            Expected("statistics", f"{NORM}/moving_mean", "batch-norm-defaults", "momentum"),
            VARIANCE,
        ),
    ),
    Pair(
        "deep-batch-norm-variance",
        "layer",
        "the running variance of a convolutional net alone",
        convolutional(sgd, LIKE_MINDSPORE),
        convolutional_cell(sgd_cell),
        PICTURES,
        (VARIANCE,),
    ),
    Pair(
        "deep-padding-by-hand",
        "layer",
        "padding=1 with a stride of 2",
        convolutional(sgd),
        convolutional_cell(sgd_cell, LIKE_KERAS, {"pad_mode": "pad", "padding": 1}),
        PICTURES,
        (Expected("layer", "conv2d_1", says="padding"), VARIANCE),
    ),
    Pair(
        "deep-last-padding",
        "layer",
        "'valid' in the last convolution of MindSpore",
        convolutional(sgd),
        convolutional_cell(sgd_cell, LIKE_KERAS, last={"pad_mode": "valid"}),
        PICTURES,
        (Expected("layer", "conv2d_2", says="padding"), VARIANCE),
    ),
    Pair(
        "deep-momentum-schedule",
        "optimizer",
        "momentum under a cosine decay",
        residual(lambda o: o.SGD(o.schedules.CosineDecay(0.1, 6), momentum=0.9)),
        residual_cell(
            lambda nn, p: nn.Momentum(
                p, nn.CosineDecayLR(min_lr=0.0, max_lr=0.1, decay_steps=6), momentum=0.9
            )
        ),
        REGRESSION,
        (Expected("update", "dense/kernel", "momentum-changing-rate", "rate_in_velocity"),),
    ),
    Pair(
        "deep-residual-loss",
        "loss",
        "Huber with a delta of 1 and of 0.3",
        residual(adam, loss=lambda losses: losses.Huber()),
        residual_cell(adam_cell, loss=lambda nn: nn.HuberLoss(delta=0.3)),
        REGRESSION,
        (Expected("loss", "loss", says="delta"),),
    ),
    Pair(
        "deep-residual-frozen",
        "mechanics",
        "the third block is frozen in MindSpore alone",
        residual(sgd),
        residual_cell(sgd_cell, frozen="blocks.2."),
        REGRESSION,
        (Expected("gradient", "dense_5/kernel", says="frozen"),),
    ),
    Pair(
        "deep-residual-sum",
        "loss",
        "a mean in Keras, a sum in MindSpore",
        residual(lambda o: o.SGD(1e-3)),
        residual_cell(lambda nn, p: nn.SGD(p, 1e-3), loss=lambda nn: nn.MSELoss("sum")),
        REGRESSION,
        (Expected("loss", "loss", says="reduction"),),
    ),
    Pair(
        "deep-residual-nesterov",
        "optimizer",
        "nn.Momentum(use_nesterov=True)",
        residual(lambda o: o.SGD(0.01, momentum=0.9, nesterov=True)),
        residual_cell(lambda nn, p: nn.Momentum(p, 0.01, 0.9, use_nesterov=True)),
        REGRESSION,
        (Expected("update", "dense/kernel", "nesterov-ignored"),),
    ),
    Pair(
        "deep-residual-rmsprop",
        "optimizer",
        "RMSprop: the kernel, and where it starts",
        residual(lambda o: o.RMSprop(1e-3, epsilon=1e-3)),
        residual_cell(lambda nn, p: nn.RMSProp(p, 1e-3, epsilon=1e-3)),
        FAINT,
        (
            Expected("update", "dense/kernel", "rmsprop-body-and-tail"),
            Expected("start", "dense/kernel:s", "rmsprop-start"),
        ),
    ),
    Pair(
        "deep-gru-clipping",
        "optimizer",
        "clipvalue in Keras alone, over two GRUs",
        recurrent("GRU", lambda o: o.SGD(0.05, clipvalue=5e-4)),
        recurrent_cell("GRU", sgd_cell),
        SEQUENCES,
        (Expected("update", "gru/kernel", says="ClipBy"),),
    ),
    Pair(
        "deep-lstm-biases",
        "layer",
        "two biases of each of two LSTMs",
        recurrent("LSTM", sgd),
        recurrent_cell("LSTM", sgd_cell),
        SEQUENCES,
        (Expected("update", "lstm/bias", "lstm-biases"),),
    ),
    Pair(
        "deep-transformer-epsilon",
        "layer",
        "LayerNormalization() of Keras, 1e-5 in MindSpore",
        transformer(sgd, epsilon=1e-3),
        transformer_cell(sgd_cell),
        SEQUENCES,
        (Expected("layer", "layer_normalization", says="epsilon"),),
    ),
    Pair(
        "deep-transformer-gelu",
        "layer",
        "gelu by tanh in MindSpore, and another rate",
        transformer(adam),
        transformer_cell(lambda nn, p: nn.Adam(p, 1e-2, eps=1e-7), approximate=True),
        SEQUENCES,
        (
            Expected("layer", "dense", "gelu-approximate", "approximate"),
            Expected("update", "layer_normalization/gamma", says="learning_rate"),
        ),
    ),
)
