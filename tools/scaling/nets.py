"""The nets that are measured: wide layers, convolutions, a recurrent layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import dnnbridge as db


@dataclass(frozen=True)
class Net:
    """A training that is measured.

    Attributes:
        title: its description.
        model: makes the spec of the model.
        optimizer: makes the spec of the optimizer.
        shape: of one example.
        batch: examples per step of all workers.
    """

    title: str
    model: Callable[[], Any]
    optimizer: Callable[[], Any]
    shape: tuple[int, ...]
    batch: int

    def experiment(self) -> db.Experiment:
        """Return the spec."""
        loss = db.SparseCategoricalCrossentropy(from_logits=True)
        return db.Experiment(self.model(), loss, self.optimizer(), metrics=["accuracy"])

    def data(self, rows: int) -> tuple[Any, Any]:
        """Return inputs and labels of so many examples."""
        rng = np.random.default_rng(0)
        x = rng.random((rows, *self.shape), dtype=np.float32)
        return x, rng.integers(0, 10, rows).astype(np.int32)


def wide() -> db.Sequential:
    """Return a multilayer perceptron of 1.2 million weights."""
    hidden = [db.Dense(784, "sigmoid") for _ in range(2)]
    return db.Sequential([db.Input((784,)), *hidden, db.Dense(10)])


def lstm() -> db.Sequential:
    """Return an LSTM of 128 units over 64 steps of 32 features."""
    return db.Sequential([db.Input((64, 32)), db.LSTM(128), db.Dense(10)])


def _momentum() -> db.SGD:
    return db.SGD(0.01, momentum=0.9)


NETS = {
    "wide": Net("784-784-784-10, SGD with momentum", wide, _momentum, (784,), 256),
    "lenet": Net("LeNet-5, Adam", db.zoo.lenet5, db.Adam, (28, 28, 1), 128),
    "lstm": Net("LSTM of 128 units, 64 steps, Adam", lstm, db.Adam, (64, 32), 64),
}

RESIDUAL = Net("ResNet-20, Adam", db.zoo.resnet_cifar, db.Adam, (32, 32, 3), 128)
"""Only its messages are counted: statistics of the batch make many small ones."""
