"""MNIST 784-300-100-10 with Leaky ReLU, plain SGD, accuracy every few epochs, a final checkpoint.

    DNNBRIDGE_BACKEND=mindspore python examples/mnist_leaky_relu.py --data mnist:FOLDER --epochs 40

The same file runs on TensorFlow and on the NumPy reference.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import dnnbridge as db
from dnnbridge.datasets import Dataset, adapt_to, load_dataset

LEAKY = db.LeakyReLU(0.01)

experiment = db.Experiment(
    model=db.Sequential(
        [
            db.Input((784,)),
            db.Dense(300, activation=LEAKY, kernel_initializer="he_normal", name="hidden1"),
            db.Dense(100, activation=LEAKY, kernel_initializer="he_normal", name="hidden2"),
            db.Dense(10, name="outputs"),
        ]
    ),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(0.01),
    metrics=["accuracy"],
    seed=42,
)


class Report(db.Callback):
    """Print the accuracy on the last batch and on the validation data every few epochs."""

    def __init__(self, data: Dataset, batch_size: int, every: int = 5) -> None:
        self.data, self.batch_size, self.every = data, batch_size, every

    def on_epoch_end(self, run: db.Run, epoch: int, logs: dict[str, float]) -> None:
        if epoch % self.every == 0:
            last = slice(-self.batch_size, None)
            batch = run.evaluate(self.data.x_train[last], self.data.y_train[last])
            validation = run.evaluate(self.data.x_test, self.data.y_test)
            print(
                f"epoch {epoch}  batch accuracy {batch['accuracy']:.3f}  "
                f"validation accuracy {validation['accuracy']:.4f}"
            )


def train(data: Dataset, epochs: int, checkpoint: Path, batch_size: int = 50) -> db.Run:
    """Train on the chosen backend and save the run at the end."""
    run = db.compile(experiment)
    callbacks = [Report(data, batch_size), db.Checkpoint(checkpoint)]
    run.fit(data.x_train, data.y_train, batch_size, epochs, callbacks=callbacks)
    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--checkpoint", type=Path, default=Path("out/mnist_leaky_relu.safetensors"))
    options = parser.parse_args()
    train(adapt_to(experiment, load_dataset(options.data)), options.epochs, options.checkpoint)
