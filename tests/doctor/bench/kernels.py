"""Pairs of equal programs that compute other numbers: MindSpore's kernels on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from doctor.bench.data import REGRESSION, ROWS
from doctor.bench.pair import Expected, Pair, sequential, trained


def _activated(kind: str) -> Any:
    """Return what makes a Keras program with an activation in the middle."""

    def program(keras: Any) -> Any:
        layers = [
            keras.layers.Dense(8),
            keras.layers.Activation(kind),
            keras.layers.Dense(1),
        ]
        return sequential(keras, (6,), layers, "mse", keras.optimizers.SGD(1e-9))

    return program


def _activated_cell(kind: str) -> Any:
    """Return what makes a MindSpore program with an activation in the middle."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn
        net = nn.SequentialCell(nn.Dense(6, 8), getattr(nn, kind)(), nn.Dense(8, 1))
        return trained(net, nn.MSELoss(), lambda p: nn.SGD(p, 1e-9))

    return program


LARGE = ROWS * np.float32(200.0), REGRESSION[1]

PAIRS = (
    Pair(
        "tanh",
        "kernel",
        "tanh of MindSpore is off by up to 1e-4",
        _activated("tanh"),
        _activated_cell("Tanh"),
        (ROWS * np.float32(3.0), REGRESSION[1]),
        (Expected("layer", "activation", "tanh"),),
    ),
    Pair(
        "selu-gradient",
        "kernel",
        "the gradient of SeLU is wrong below 0",
        _activated("selu"),
        _activated_cell("SeLU"),
        REGRESSION,
        (Expected("gradient", "dense/kernel", "selu-gradient"),),
    ),
    Pair(
        "mish-overflow",
        "kernel",
        "Mish of numbers above 44 is NaN",
        _activated("mish"),
        _activated_cell("Mish"),
        LARGE,
        (Expected("layer", "activation", "mish-overflow"),),
    ),
    Pair(
        "log-sigmoid-overflow",
        "kernel",
        "LogSigmoid of numbers below -88 is infinite",
        _activated("log_sigmoid"),
        _activated_cell("LogSigmoid"),
        LARGE,
        (Expected("layer", "activation", "log-sigmoid-overflow"),),
    ),
)
