"""Unsupervised pre-training: an autoencoder first, then its encoder in a classifier.

    DNNBRIDGE_BACKEND=mindspore python examples/pretraining.py --data digits

The autoencoder trains on all images, the classifier on a few labels. TensorFlow, MindSpore and the
NumPy reference give the same numbers.
"""

from __future__ import annotations

import argparse

import numpy as np

import dnnbridge as db
from dnnbridge import zoo
from dnnbridge.datasets import load_dataset

UNITS = (32, 12)


def train(
    images: np.ndarray, labels: np.ndarray, known: int = 30, epochs: tuple[int, int] = (40, 60)
) -> dict[str, db.Run]:
    """Return two classifiers trained on few labels: one starts from the encoder's weights.

    Args:
        images: shape (n, height, width), from 0 to 1.
        labels: from 0 to 9; only the first `known` are used.
        known: number of labels used.
        epochs: number of epochs of the autoencoder, and of the classifiers.
    """
    autoencoder = zoo.autoencoder(images.shape[1:], UNITS, "tanh")
    experiment = db.Experiment(autoencoder, db.BinaryCrossentropy(), db.Adam(3e-3), seed=7)
    teacher = db.compile(experiment)
    teacher.fit(images, images, epochs=epochs[0])

    encoder = next(layer for layer in autoencoder.layers if layer.name == "encoder")
    model = db.Sequential([db.Input(images.shape[1:]), encoder, db.Dense(10, name="head")])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    # The encoder's learning rate is a tenth of the head's.
    optimizer = db.LearningRateMultipliers(db.Adam(1e-2), {"encoder/*": 0.1})
    classifier = db.Experiment(model, loss, optimizer, ["accuracy"], seed=7)
    runs = {
        "pre-trained": teacher.with_experiment(classifier),
        "from the start": db.compile(classifier.replace(optimizer=db.Adam(1e-2))),
    }
    for run in runs.values():
        run.fit(images[:known], labels[:known], epochs=epochs[1])
    return runs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    data = load_dataset(parser.parse_args().data)
    shape = data.x_train.shape[1:] if data.x_train.ndim == 3 else (8, 8)
    made = train(data.x_train.reshape(-1, *shape), data.y_train)
    print(made["pre-trained"].transfer)
    for name, run in made.items():
        found = run.evaluate(data.x_test.reshape(-1, *shape), data.y_test)
        print("{}: loss {loss:.6f}  accuracy {accuracy:.4f}".format(name, **found))
