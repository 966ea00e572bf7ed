"""Small nets and data for the tests of diagnoses."""

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(7)
X = RNG.normal(size=(120, 6)).astype(np.float32)
WEIGHTS = RNG.normal(size=(6, 3))
LABELS = (X @ WEIGHTS).argmax(1)
REAL = np.tanh(X[:, :1] - X[:, 1:2])


def net(*layers, loss="mse", optimizer="adam", **more):
    """Return an experiment of layers on six inputs."""
    return db.Experiment(db.Sequential([db.Input((6,)), *layers]), loss, optimizer, **more)


def classifier(*layers, optimizer="adam", **more):
    """Return an experiment of three classes."""
    last = more.pop("last", db.Dense(3, "softmax", name="last"))
    loss = "sparse_categorical_crossentropy"
    return net(*layers, last, loss=loss, optimizer=optimizer, **more)


def deep(activation, start, depth=10, units=50):
    """Return an experiment of many equal layers."""
    layers = [db.Dense(units, activation, kernel_initializer=start) for _ in range(depth)]
    return net(*layers, db.Dense(1, name="last"))


def kept(run):
    """Return all that a diagnosis must leave as it is."""
    return run.state(), run.position, run.optimizer, run.epoch_sums(), run.logs


def same(before, after):
    """Return whether a run is as it was."""
    arrays = all(np.array_equal(after[0][name], array) for name, array in before[0].items())
    return arrays and before[1:] == after[1:]
