"""Train a head on a frozen body, then unfreeze everything at a lower rate.

    DNNBRIDGE_BACKEND=mindspore python examples/fine_tuning.py --data digits

A net learns to classify the digits 0 to 4. Its body then gets a new head for 5 to 9, trained on few
examples. TensorFlow, MindSpore and the NumPy reference give the same numbers.
"""

from __future__ import annotations

import argparse

import numpy as np

import dnnbridge as db
from dnnbridge.datasets import load_dataset

LOSS = db.SparseCategoricalCrossentropy(from_logits=True)


def classifier(pixels: int, head: str, optimizer: db.AbstractOptimizer, **rules) -> db.Experiment:
    """Return an experiment with the common body and a head with the given name."""
    body = [
        db.Input((pixels,)),
        db.Dense(64, use_bias=False, name="hidden"),
        db.BatchNormalization(name="norm"),
        db.Activation("tanh"),
    ]
    layers = [db.Input((pixels,)), db.Sequential(body, name="body"), db.Dense(5, name=head)]
    return db.Experiment(db.Sequential(layers), LOSS, optimizer, ["accuracy"], seed=7, **rules)


def train(images: np.ndarray, labels: np.ndarray, known: int = 100) -> list[tuple[str, db.Run]]:
    """Train in three stages and return the run of each.

    Args:
        images: shape (n, pixels).
        labels: from 0 to 9.
        known: number of training examples of the digits 5 to 9.
    """
    low, high = labels < 5, np.flatnonzero(labels >= 5)[:known]
    pixels = images.shape[1]
    run = db.compile(classifier(pixels, "low", db.Adam(1e-2)))
    run.fit(images[low], labels[low], epochs=5)

    head = run.with_experiment(classifier(pixels, "high", db.Adam(1e-2), frozen=["body/*"]))
    head.fit(images[high], labels[high] - 5, epochs=20)

    lower = head.experiment.replace(frozen=(), optimizer=db.Adam(1e-3))
    whole = head.with_experiment(lower)
    whole.fit(images[high], labels[high] - 5, epochs=20)
    return [("0 to 4", run), ("head", head), ("whole", whole)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    data = load_dataset(parser.parse_args().data)
    stages = train(data.x_train.reshape(len(data.x_train), -1), data.y_train)
    others = data.y_test >= 5
    x, y = data.x_test.reshape(len(data.x_test), -1)[others], data.y_test[others] - 5
    for name, run in stages[1:]:
        print(f"{name}: {run.transfer}")
        print("loss {loss:.6f}  accuracy {accuracy:.4f}".format(**run.evaluate(x, y)))
