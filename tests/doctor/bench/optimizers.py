"""Pairs whose optimizers differ."""

from __future__ import annotations

from doctor.bench.data import FAINT, REGRESSION
from doctor.bench.nets import cell, dense, normalised, normalised_cell
from doctor.bench.pair import Expected, Pair

KERNEL = "dense/kernel"

PAIRS = (
    Pair(
        "adam-defaults",
        "optimizer",
        "Adam() of each: epsilon 1e-7 and 1e-8",
        dense(lambda o: o.Adam(1e-3)),
        cell(lambda nn, p: nn.Adam(p, learning_rate=1e-3)),
        FAINT,
        (Expected("update", KERNEL, "adam-epsilon", "epsilon"),),
    ),
    Pair(
        "adamax-defaults",
        "optimizer",
        "Adamax and AdaMax: epsilon 1e-7 and 1e-8",
        dense(lambda o: o.Adamax(1e-2)),
        cell(lambda nn, p: nn.AdaMax(p, learning_rate=1e-2)),
        (FAINT[0] * 1e-2, FAINT[1] * 1e-2),
        (Expected("update", KERNEL, says="epsilon"),),
    ),
    Pair(
        "adadelta-defaults",
        "optimizer",
        "Adadelta: rho 0.95 and 0.9, epsilon 1e-7 and 1e-6, at one rate",
        dense(lambda o: o.Adadelta(1.0)),
        cell(lambda nn, p: nn.Adadelta(p, learning_rate=1.0)),
        REGRESSION,
        (
            Expected("update", KERNEL, "adadelta-defaults", "rho"),
            Expected("update", KERNEL, "adadelta-defaults", "epsilon"),
        ),
    ),
    Pair(
        "adagrad-from-zero",
        "optimizer",
        "Adagrad: epsilon 1e-7, and none in MindSpore",
        dense(lambda o: o.Adagrad(1e-2, initial_accumulator_value=0.0)),
        cell(lambda nn, p: nn.Adagrad(p, accum=0.0, learning_rate=1e-2)),
        FAINT,
        (Expected("update", KERNEL, "adagrad-epsilon", "epsilon"),),
    ),
    Pair(
        "momentum-under-a-schedule",
        "optimizer",
        "SGD(momentum) under a rate that falls: Keras has the rate in the velocity",
        dense(lambda o: o.SGD(_falling(o), momentum=0.9)),
        cell(lambda nn, p: nn.Momentum(p, nn.ExponentialDecayLR(0.1, 0.5, 1), momentum=0.9)),
        REGRESSION,
        (Expected("update", KERNEL, "momentum-changing-rate", "rate_in_velocity"),),
    ),
    Pair(
        "nesterov-under-a-schedule",
        "optimizer",
        "SGD(nesterov=True) under a rate that falls",
        dense(lambda o: o.SGD(_falling(o), momentum=0.9, nesterov=True)),
        cell(
            lambda nn, p: nn.SGD(p, nn.ExponentialDecayLR(0.1, 0.5, 1), momentum=0.9, nesterov=True)
        ),
        REGRESSION,
        (Expected("update", KERNEL, "nesterov-changing-rate", "rate_in_velocity"),),
    ),
    Pair(
        "nesterov-by-momentum",
        "optimizer",
        "nn.Momentum(use_nesterov=True) makes plain momentum",
        dense(lambda o: o.SGD(0.1, momentum=0.9, nesterov=True)),
        cell(lambda nn, p: nn.Momentum(p, 0.1, 0.9, use_nesterov=True)),
        REGRESSION,
        (Expected("update", KERNEL, "nesterov-ignored"),),
    ),
    Pair(
        "nesterov-forgotten",
        "optimizer",
        "nesterov=True in Keras alone",
        dense(lambda o: o.SGD(0.1, momentum=0.9, nesterov=True)),
        cell(lambda nn, p: nn.SGD(p, 0.1, momentum=0.9)),
        REGRESSION,
        (Expected("update", KERNEL, says="nesterov"),),
    ),
    Pair(
        "adam-weight-decay",
        "optimizer",
        "Adam(weight_decay) is decoupled in Keras, and coupled in MindSpore",
        dense(lambda o: o.Adam(1e-2, weight_decay=0.1)),
        cell(lambda nn, p: nn.Adam(p, 1e-2, eps=1e-7, weight_decay=0.1)),
        REGRESSION,
        (Expected("update", KERNEL, "weight-decay-coupled", "weight_decay"),),
    ),
    Pair(
        "adamw-for-bert",
        "optimizer",
        "nn.AdamWeightDecay has no bias correction",
        dense(lambda o: o.AdamW(1e-2, weight_decay=0.01, epsilon=1e-6)),
        cell(lambda nn, p: nn.AdamWeightDecay(p, 1e-2, eps=1e-6, weight_decay=0.01)),
        REGRESSION,
        (Expected("update", KERNEL, "adam-weight-decay-no-correction"),),
    ),
    Pair(
        "decay-of-gamma",
        "optimizer",
        "SGD(weight_decay) decays scale and shift of a BatchNormalization in Keras alone",
        normalised(lambda o: o.SGD(0.1, weight_decay=0.1), epsilon=1e-5, momentum=0.9),
        normalised_cell(lambda nn, p: nn.SGD(p, 0.1, weight_decay=0.1)),
        REGRESSION,
        (
            Expected("update", "batch_normalization/gamma", "bias-decays", "weight_decay"),
            Expected(
                "statistics",
                "batch_normalization/moving_variance",
                "batch-norm-variance",
                "unbiased",
            ),
        ),
    ),
    Pair(
        "ftrl-l1",
        "optimizer",
        "nn.FTRL(l1) is wrong for negative sums",
        dense(lambda o: o.Ftrl(0.05, l1_regularization_strength=0.01)),
        cell(lambda nn, p: nn.FTRL(p, learning_rate=0.05, l1=0.01)),
        REGRESSION,
        (Expected("update", KERNEL, "ftrl-l1"),),
    ),
    Pair(
        "rmsprop-kernel",
        "optimizer",
        "nn.RMSProp has epsilon outside of the root, but for the last elements",
        dense(lambda o: o.RMSprop(1e-2, epsilon=1e-3)),
        cell(lambda nn, p: nn.RMSProp(p, 1e-2, epsilon=1e-3)),
        FAINT,
        (
            Expected("update", KERNEL, "rmsprop-body-and-tail"),
            Expected("start", f"{KERNEL}:s", "rmsprop-start"),
        ),
    ),
    Pair(
        "clipping-forgotten",
        "optimizer",
        "global_clipnorm in Keras alone",
        dense(lambda o: o.Adam(1e-2, global_clipnorm=0.01)),
        cell(lambda nn, p: nn.Adam(p, 1e-2, eps=1e-7)),
        REGRESSION,
        (Expected("update", KERNEL, says="ClipBy"),),
    ),
    Pair(
        "another-rate",
        "optimizer",
        "Adam(1e-3) beside Adam(1e-2), and beta_1 0.8 beside 0.9",
        dense(lambda o: o.Adam(1e-2, beta_1=0.8)),
        cell(lambda nn, p: nn.Adam(p, 1e-3, eps=1e-7)),
        REGRESSION,
        (
            Expected("update", KERNEL, says="learning_rate"),
            Expected("slots", f"{KERNEL}:m", says="beta_1"),
        ),
    ),
)


def _falling(optimizers):
    return optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
