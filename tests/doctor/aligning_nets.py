"""Small smooth nets and data for the tests of `align`."""

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 5)).astype(np.float32)
DATA = X, (X[:, :1] > X[:, 1:2]).astype(np.float32)
SMALL = X * 1e-4, DATA[1] * 1e-4
"""Examples whose gradients are as small as the epsilon of Adam."""


def net(*layers, loss="mse", optimizer=None, **more):
    """Return an experiment of a smooth net on five inputs."""
    middle = layers or (db.Dense(4, "tanh", name="hidden"),)
    model = db.Sequential([db.Input((5,)), *middle, db.Dense(1, name="last")])
    return db.Experiment(model, loss, optimizer or db.SGD(0.1), **more)


def run(*layers, **more):
    return db.compile(net(*layers, **more), "reference")


def normalised(**more):
    return [db.Dense(4, name="hidden"), db.BatchNormalization(name="bn", **more)]


def adam(**more):
    return run(optimizer=db.Adam(0.01, **more))
