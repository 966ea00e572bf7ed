"""A small run, and a stand-in that only counts."""

from __future__ import annotations

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)


def make(rate=0.05, backend="reference", **changes):
    model = db.Sequential(
        [db.Input((3,)), db.Dense(4, "tanh"), db.BatchNormalization(), db.Dense(1)]
    )
    experiment = db.Experiment(model, "mse", db.SGD(rate, momentum=0.9), metrics=["mae"])
    return db.compile(experiment.replace(**changes), backend)


def assert_equal_states(a, b):
    ours, theirs = a.state(), b.state()
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], name)
    assert a.position == b.position


class StandIn:
    """A run without a model: its weights are the number of the epoch."""

    def __init__(self):
        self.goals = {"loss": "min", "accuracy": "max"}
        self.stopped, self.epoch = False, 0
        self.set = None

    def stop(self):
        self.stopped = True

    def weights(self):
        return {"epoch": self.epoch}

    def set_weights(self, values):
        self.set = values["epoch"]

    def train(self, callback, values, name="loss"):
        """Give a callback the values of a metric, one for each epoch, until it stops the run."""
        callback.on_train_begin(self, len(values), 1)
        for self.epoch, value in enumerate(values):
            callback.on_epoch_end(self, self.epoch, {name: value})
            if self.stopped:
                break
        callback.on_train_end(self)
        return self
