"""The workloads: specs, data and batch sizes, the same for every contestant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import dnnbridge as db


@dataclass(frozen=True)
class Workload:
    """A training to time.

    Attributes:
        name: its name on the command line.
        title: its description.
        model: makes the spec of the model.
        optimizer: "sgd", with momentum 0.9, or "adam".
        shape: shape of one example; its elements are integers below `vocabulary`, if given.
        batch: examples per step.
        steps: steps of an epoch, by framework.
        dense: whether it is a multilayer perceptron.
        xla: whether contestants with XLA take part; with convolutions they take eight times as
            long on a CPU.
    """

    name: str
    title: str
    model: Callable[[], Any]
    optimizer: str
    shape: tuple[int, ...]
    batch: int
    steps: dict[str, int]
    vocabulary: int | None = None
    classes: int = 10
    dense: bool = False
    xla: bool = True

    @property
    def epochs(self) -> dict[str, int]:
        """Epochs of a turn by framework, run in one call if the contestant can."""
        return {name: 2 if steps > 2 else 1 for name, steps in self.steps.items()}

    def all_steps(self, framework: str) -> int:
        """Return the number of steps of a turn."""
        return self.steps[framework] * self.epochs[framework]

    def data(self, framework: str) -> tuple[Any, Any]:
        """Return the inputs and labels of an epoch."""
        rng = np.random.default_rng(0)
        rows = self.steps[framework] * self.batch
        if self.vocabulary:
            x = rng.integers(0, self.vocabulary, (rows, *self.shape)).astype(np.int32)
        else:
            x = rng.random((rows, *self.shape), dtype=np.float32)
        return x, rng.integers(0, self.classes, rows).astype(np.int32)

    def experiment(self) -> db.Experiment:
        """Return the spec."""
        optimizer = db.SGD(0.01, momentum=0.9) if self.optimizer == "sgd" else db.Adam(0.001)
        loss = db.SparseCategoricalCrossentropy(from_logits=True)
        return db.Experiment(self.model(), loss, optimizer)


def residual_blocks() -> list[tuple[int, int, int]]:
    """Return input channels, output channels and stride of the nine blocks of ResNet-20."""
    blocks, channels = [], 16
    for width in (16, 32, 64):
        for _ in range(3):
            blocks.append((channels, width, 1 if width == channels else 2))
            channels = width
    return blocks


def mlp(inputs: int, units: tuple[int, ...], activation: str) -> db.Sequential:
    """Return a multilayer perceptron with ten outputs."""
    hidden = [db.Dense(n, activation) for n in units]
    return db.Sequential([db.Input((inputs,)), *hidden, db.Dense(10)])


def wide() -> db.Sequential:
    """Return a multilayer perceptron of 1.2 million weights."""
    return mlp(784, (784, 784), "sigmoid")


def lstm() -> db.Sequential:
    """Return an LSTM of 128 units over 64 steps of 32 features."""
    return db.Sequential([db.Input((64, 32)), db.LSTM(128), db.Dense(10)])


def transformer() -> db.Model:
    """Return an encoder of two blocks over 64 words, normalized after each sum."""
    words = db.Input((64,), "int32")
    x = db.PositionEmbedding(64)(db.Embedding(1000, 64)(words))
    for _ in range(2):
        x = db.LayerNormalization(epsilon=1e-6)(db.Add()(x, db.MultiHeadAttention(4, 16)(x)))
        y = db.Dense(64)(db.Dense(128, "relu")(x))
        x = db.LayerNormalization(epsilon=1e-6)(db.Add()(x, y))
    return db.Model(words, db.Dense(10)(db.GlobalAveragePooling1D()(x)))


def steps(tensorflow: int, mindspore: int) -> dict[str, int]:
    """Return the steps of an epoch by framework; PyTorch has the same number as TensorFlow."""
    return {"tensorflow": tensorflow, "mindspore": mindspore, "torch": tensorflow}


WORKLOADS = {
    work.name: work
    for work in (
        Workload(
            "mlp",
            "784-300-100-10, ReLU, SGD with momentum",
            model=lambda: mlp(784, (300, 100), "relu"),
            optimizer="sgd",
            shape=(784,),
            batch=50,
            steps=steps(256, 256),
            dense=True,
        ),
        Workload(
            "wide",
            "784-784-784-10, sigmoid, SGD with momentum",
            model=wide,
            optimizer="sgd",
            shape=(784,),
            batch=200,
            steps=steps(40, 40),
            dense=True,
        ),
        Workload(
            "adam",
            "784-784-784-10, sigmoid, Adam",
            model=wide,
            optimizer="adam",
            shape=(784,),
            batch=200,
            steps=steps(40, 40),
            dense=True,
        ),
        Workload(
            "lenet",
            "LeNet-5, Adam",
            model=db.zoo.lenet5,
            optimizer="adam",
            shape=(28, 28, 1),
            batch=64,
            steps=steps(40, 20),
            xla=False,
        ),
        Workload(
            "resnet",
            "ResNet-20, 32 x 32 x 3, SGD with momentum",
            model=db.zoo.resnet_cifar,
            optimizer="sgd",
            shape=(32, 32, 3),
            batch=64,
            steps=steps(8, 2),
            xla=False,
        ),
        Workload(
            "lstm",
            "LSTM, 128 units, 64 steps, Adam",
            model=lstm,
            optimizer="adam",
            shape=(64, 32),
            batch=32,
            steps=steps(20, 20),
        ),
        Workload(
            "transformer",
            "2 encoder blocks, 64 words, Adam",
            model=transformer,
            optimizer="adam",
            shape=(64,),
            batch=32,
            steps=steps(24, 24),
            vocabulary=1000,
        ),
    )
}
