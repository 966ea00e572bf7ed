"""Nets of a few layers that both frameworks write alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doctor.bench.pair import sequential, trained

Make = Callable[[Any], Any]
"""Makes an optimizer from the module `keras.optimizers` or from parameters."""


def dense(optimizer: Make, loss: Any = "mse", activation: str = "sigmoid", units: int = 1) -> Any:
    """Return what makes the Keras program: two layers on six inputs."""

    def program(keras: Any) -> Any:
        layers = [keras.layers.Dense(9, activation), keras.layers.Dense(units)]
        found = loss(keras.losses) if callable(loss) else loss
        return sequential(keras, (6,), layers, found, optimizer(keras.optimizers))

    return program


def cell(
    optimizer: Callable[[Any, Any], Any],
    loss: Callable[[Any], Any] = lambda nn: nn.MSELoss(),
    activation: Callable[[Any], Any] = lambda nn: nn.Sigmoid(),
    units: int = 1,
) -> Any:
    """Return what makes the MindSpore program: two layers on six inputs."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn
        net = nn.SequentialCell(nn.Dense(6, 9), activation(nn), nn.Dense(9, units))
        return trained(net, loss(nn), lambda params: optimizer(nn, params))

    return program


def normalised(optimizer: Make, **more: Any) -> Any:
    """Return what makes the Keras program with a BatchNormalization."""

    def program(keras: Any) -> Any:
        layers = [
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(**more),
            keras.layers.Activation("sigmoid"),
            keras.layers.Dense(1),
        ]
        return sequential(keras, (6,), layers, "mse", optimizer(keras.optimizers))

    return program


def normalised_cell(optimizer: Callable[[Any, Any], Any], **more: Any) -> Any:
    """Return what makes the MindSpore program with a BatchNorm1d."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn
        net = nn.SequentialCell(
            nn.Dense(6, 8), nn.BatchNorm1d(8, **more), nn.Sigmoid(), nn.Dense(8, 1)
        )
        return trained(net, nn.MSELoss(), lambda params: optimizer(nn, params))

    return program
