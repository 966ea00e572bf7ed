"""Small trainings that are recorded, for the tests of traces."""

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(7)
X = RNG.normal(size=(48, 5)).astype(np.float32)
Y = (X[:, :1] > X[:, 1:2]).astype(np.float32)
IMAGES = RNG.normal(size=(32, 6, 6, 1)).astype(np.float32)
CLASSES = np.argmax(IMAGES[:, 1:4, 2, 0], 1)
SERIES = RNG.normal(size=(32, 4, 3)).astype(np.float32)


def mlp(optimizer=None, **more):
    layers = [db.Dense(6, "relu", name="hidden"), db.Dense(1, name="last")]
    model = db.Sequential([db.Input((5,)), *layers])
    made = db.Experiment(model, "mse", optimizer or db.Adam(0.01), **more)
    return made, X, Y


def cnn(momentum=0.99, epsilon=1e-3):
    layers = [
        db.Conv2D(3, 3, name="conv"),
        db.BatchNormalization(momentum=momentum, epsilon=epsilon, name="bn"),
        db.ReLU(),
        db.MaxPooling2D(2),
        db.Flatten(),
        db.Dense(3, name="last"),
    ]
    model = db.Sequential([db.Input((6, 6, 1)), *layers])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.Adam(0.01)), IMAGES, CLASSES


def lstm():
    model = db.Sequential([db.Input((4, 3)), db.LSTM(4, name="lstm"), db.Dense(1, name="last")])
    return db.Experiment(model, "mse", db.Adam(0.01)), SERIES, SERIES[:, -1, :1]


def record(path, made, backend="reference", epochs=6, size=8, every=5, fit=None, **more):
    """Train, record, and return the path."""
    experiment, x, y = made
    run = db.compile(experiment, backend)
    hooks = [db.Trace(path, every, **more)]
    run.fit(x, y, size, epochs, callbacks=hooks, verbose=0, **(fit or {}))
    return path


FIRST, SIZE, EPOCHS, EVERY = 8, 8, 6, 5
"""Examples of a probe and of a batch, epochs and recorded steps of native trainings."""


def native():
    """Return what native models train too: without a bias before the normalisation."""
    layers = [
        db.Conv2D(3, 3, use_bias=False, name="conv"),
        db.BatchNormalization(name="bn"),
        db.Activation("tanh", name="act"),
        db.Flatten(name="flat"),
        db.Dense(3, name="last"),
    ]
    model = db.Sequential([db.Input((6, 6, 1)), *layers])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.Adam(0.01)), IMAGES, CLASSES.astype(np.int32)
