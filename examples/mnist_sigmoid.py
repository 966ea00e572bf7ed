"""MNIST 784-784-784-10 with three sigmoid layers, cross-entropy on one-hot labels, Adam, batch 200.

A textbook's first net, unchanged. Sigmoid outputs work here: the loss uses the inputs of the last
sigmoid as logits, as in Keras, so the classes exclude each other.

DNNBRIDGE_BACKEND=tensorflow python examples/mnist_sigmoid.py --data mnist:FOLDER --epochs 10
"""

from __future__ import annotations

import argparse

import dnnbridge as db
from dnnbridge.datasets import Dataset, adapt_to, load_dataset

experiment = db.Experiment(
    model=db.Sequential(
        [
            db.Input((784,)),
            db.Dense(784, activation="sigmoid", kernel_initializer="normal"),
            db.Dense(784, activation="sigmoid", kernel_initializer="normal"),
            db.Dense(10, activation="sigmoid", kernel_initializer="normal"),
        ]
    ),
    loss=db.CategoricalCrossentropy(),
    optimizer=db.Adam(),
    metrics=["accuracy"],
    seed=7,
)


def train(data: Dataset, epochs: int, batch_size: int = 200) -> tuple[db.Run, db.History]:
    """Train on the chosen backend."""
    run = db.compile(experiment)
    validation = data.x_test, data.y_test
    history = run.fit(data.x_train, data.y_train, batch_size, epochs, validation)
    return run, history


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    data = adapt_to(experiment, load_dataset(options.data))
    trained, _ = train(data, options.epochs)
    error = 1.0 - trained.evaluate(data.x_test, data.y_test)["accuracy"]
    print(f"Baseline error: {100 * error:.2f} %")
