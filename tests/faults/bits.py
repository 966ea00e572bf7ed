"""Train small nets, each in a new process: python bits.py BACKEND NET,NET [RUNS].

The framework is imported once; each training is a fork, made before any operation. It prints a
digest of all arrays and predictions of each as JSON, by the name of the net.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback

import numpy as np

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend

EXAMPLES, BATCH, EPOCHS, CLASSES = 160, 64, 4, 10


def _mlp():
    layers = [db.Dense(128, "relu"), db.Dropout(0.2), db.Dense(128, "relu"), db.Dense(CLASSES)]
    return db.Sequential([db.Input((64,)), *layers])


def _lenet():
    layers = [
        db.Conv2D(6, 5, padding="same", activation="tanh"),
        db.MaxPooling2D(2),
        db.Conv2D(16, 5, activation="tanh"),
        db.BatchNormalization(),
        db.MaxPooling2D(2),
        db.Flatten(),
        db.Dense(84, "tanh"),
        db.Dense(CLASSES),
    ]
    return db.Sequential([db.Input((28, 28, 1)), *layers])


def _lstm():
    return db.Sequential([db.Input((20, 16)), db.LSTM(32), db.Dense(CLASSES)])


def _attention():
    words = db.Input((20,), "int32")
    embedded = db.Embedding(50, 32)(words)
    heard = db.MultiHeadAttention(4, 8)(embedded, embedded)
    mean = db.GlobalAveragePooling1D()(db.LayerNormalization()(db.Add()([embedded, heard])))
    return db.Model(words, db.Dense(CLASSES)(mean))


NETS = {"mlp": _mlp, "lenet": _lenet, "lstm": _lstm, "attention": _attention}


def digest(net: str, backend: str) -> str:
    """Train a net, and return a hash of all bits of its arrays, losses and predictions."""
    rng, model = np.random.default_rng(0), NETS[net]()
    (given,) = model.input_types.values()
    shape = (EXAMPLES, *given.shape[1:])
    x = rng.integers(0, 50, shape) if given.dtype == "int32" else rng.normal(size=shape)
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.Adam(0.01)), backend)
    x = x.astype(given.dtype)
    history = run.fit(x, rng.integers(0, CLASSES, EXAMPLES), BATCH, EPOCHS, verbose=0)
    arrays = {**run.state(), "predicted": run.predict(x), "losses": history.step_losses}
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(name.encode() + np.asarray(array).tobytes())
    return found.hexdigest()


def elsewhere(net: str, backend: str) -> str:
    """Return what a fork of this process computes."""
    reading, writing = os.pipe()
    if not os.fork():
        status = 1
        try:
            os.write(writing, digest(net, backend).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as file:
        found = file.read()
    os.wait()
    assert found, f"{net} on {backend} failed"
    return found


def main(backend: str, nets: str, runs: str = "1") -> None:
    load_backend(backend)
    found = {net: [elsewhere(net, backend) for _ in range(int(runs))] for net in nets.split(",")}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
