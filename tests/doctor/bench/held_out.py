"""Pairs that were written after `align` was mended by the others, and judged once."""

from __future__ import annotations

from doctor.bench.data import CLASSIFICATION, ONE_OF_THREE, PICTURES, REGRESSION, SEQUENCES
from doctor.bench.deep import residual, residual_cell
from doctor.bench.deep_pairs import adam, adam_cell, sgd, sgd_cell
from doctor.bench.deep_series import recurrent, recurrent_cell
from doctor.bench.images import pictured, pictured_cell
from doctor.bench.layers import between, between_cells
from doctor.bench.nets import cell, dense, normalised, normalised_cell
from doctor.bench.pair import Expected, Pair

KERNEL = "dense/kernel"

PAIRS = (
    Pair(
        "new-momentum",
        "optimizer",
        "momentum 0.9 and 0.8",
        dense(lambda o: o.SGD(0.1, momentum=0.9)),
        cell(lambda nn, p: nn.Momentum(p, 0.1, 0.8)),
        REGRESSION,
        (Expected("update", KERNEL, says="momentum"),),
    ),
    Pair(
        "new-size-of-decay",
        "optimizer",
        "weight_decay 0.1 and 0.01 of SGD",
        dense(lambda o: o.SGD(0.1, weight_decay=0.1)),
        cell(lambda nn, p: nn.SGD(p, 0.1, weight_decay=0.01)),
        REGRESSION,
        (Expected("update", KERNEL, says="decay"),),
    ),
    Pair(
        "new-inverse-decay",
        "schedule",
        "decay_rate 0.5 and 0.25 of an inverse decay",
        dense(lambda o: o.SGD(o.schedules.InverseTimeDecay(0.1, 1, 0.5))),
        cell(lambda nn, p: nn.SGD(p, nn.InverseDecayLR(0.1, 0.25, 1))),
        REGRESSION,
        (Expected("update", KERNEL, says="decay_rate"),),
    ),
    Pair(
        "new-softplus",
        "layer",
        "softplus became nn.ReLU()",
        between(lambda layers: [layers.Activation("softplus")]),
        between_cells(lambda nn: [nn.ReLU()]),
        REGRESSION,
        (Expected("layer", "activation", says="activation"),),
    ),
    Pair(
        "new-groups",
        "layer",
        "two groups and four groups of a normalization",
        pictured(
            lambda layers: [
                layers.Conv2D(4, 3, padding="same"),
                layers.GroupNormalization(2, epsilon=1e-5),
                layers.ReLU(),
            ]
        ),
        pictured_cell(
            lambda nn: [nn.Conv2d(3, 4, 3, has_bias=True), nn.GroupNorm(4, 4), nn.ReLU()]
        ),
        PICTURES,
        (Expected("layer", "group_normalization", says="groups"),),
    ),
    Pair(
        "new-dilation",
        "layer",
        "a dilation of 2 and of 1",
        pictured(lambda layers: [layers.Conv2D(4, 3, padding="same", dilation_rate=2)]),
        pictured_cell(lambda nn: [nn.Conv2d(3, 4, 3, has_bias=True)]),
        PICTURES,
        (Expected("layer", "conv2d", says="dilation"),),
    ),
    Pair(
        "new-kind-of-pool",
        "layer",
        "a maximum and a mean",
        pictured(lambda layers: [layers.Conv2D(4, 3, padding="same"), layers.MaxPooling2D(2)]),
        pictured_cell(lambda nn: [nn.Conv2d(3, 4, 3, has_bias=True), nn.AvgPool2d(2, 2)]),
        PICTURES,
        (Expected("layer", "max_pooling2d", says="Pooling"),),
    ),
    Pair(
        "new-batch-norm-momentum",
        "layer",
        "momentum 0.9 in Keras, and 0.1 in MindSpore",
        normalised(lambda o: o.SGD(0.1), epsilon=1e-5, momentum=0.9),
        normalised_cell(lambda nn, p: nn.SGD(p, 0.1), momentum=0.1),
        REGRESSION,
        (
            Expected("statistics", "batch_normalization/moving_mean", says="momentum"),
            Expected("statistics", "batch_normalization/moving_variance", "batch-norm-variance"),
        ),
    ),
    Pair(
        "new-smoothing",
        "loss",
        "label_smoothing in MindSpore alone",
        dense(
            lambda o: o.SGD(0.1),
            lambda losses: losses.SparseCategoricalCrossentropy(from_logits=True),
            units=3,
        ),
        cell(
            lambda nn, p: nn.SGD(p, 0.1),
            lambda nn: nn.CrossEntropyLoss(label_smoothing=0.2),
            units=3,
        ),
        CLASSIFICATION,
        (Expected("loss", "loss", says="label_smoothing"),),
    ),
    Pair(
        "new-deep-absolute",
        "loss",
        "mean squared error beside a mean absolute error",
        residual(adam),
        residual_cell(adam_cell, loss=lambda nn: nn.L1Loss()),
        REGRESSION,
        (Expected("loss", "loss", says="MeanAbsoluteError"),),
    ),
    Pair(
        "new-deep-activation",
        "layer",
        "silu became nn.ELU()",
        residual(sgd),
        residual_cell(sgd_cell, lambda nn: nn.ELU()),
        REGRESSION,
        (Expected("layer", "dense_1", says="activation"),),
    ),
    Pair(
        "new-deep-gru-rate",
        "optimizer",
        "Adam with beta_2 of 0.99 and 0.999, at one rate",
        recurrent("GRU", lambda o: o.Adam(1e-3, beta_2=0.99)),
        recurrent_cell("GRU", adam_cell),
        SEQUENCES,
        (Expected("slots", "gru/kernel:v", says="beta_2"),),
    ),
    Pair(
        "new-one-hot",
        "none",
        "one-hot labels, Adamax",
        dense(
            lambda o: o.Adamax(0.01),
            lambda losses: losses.CategoricalCrossentropy(from_logits=True),
            units=3,
        ),
        cell(
            lambda nn, p: nn.AdaMax(p, 0.01, eps=1e-7),
            lambda nn: nn.SoftmaxCrossEntropyWithLogits(reduction="mean"),
            units=3,
        ),
        ONE_OF_THREE,
    ),
    Pair(
        "new-mean-pool",
        "none",
        "a convolution and a mean pool with padding",
        pictured(
            lambda layers: [
                layers.Conv2D(4, 3, padding="same", activation="relu"),
                layers.AveragePooling2D(2),
            ]
        ),
        pictured_cell(
            lambda nn: [nn.Conv2d(3, 4, 3, has_bias=True), nn.ReLU(), nn.AvgPool2d(2, 2)]
        ),
        PICTURES,
    ),
    Pair(
        "new-deep-elu",
        "none",
        "a residual net with ELU, plain SGD with weight decay",
        residual(lambda o: o.SGD(0.05, weight_decay=0.01), "elu"),
        residual_cell(lambda nn, p: nn.SGD(p, 0.05, weight_decay=0.01), lambda nn: nn.ELU()),
        REGRESSION,
    ),
)
