"""Data of the tests of sources of batches, and sources that note what is read."""

from __future__ import annotations

import itertools

import numpy as np

import dnnbridge as db

RNG = np.random.default_rng(3)
X = RNG.normal(size=(22, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype(np.float32)


def make(metrics=("mae",)):
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dropout(0.3), db.Dense(1)])
    return db.compile(db.Experiment(model, "mse", db.Adam(0.05), metrics=metrics), "reference")


def batches(*sizes, arrays=(X, Y)):
    """Return batches of these sizes; by default of 4, and a short one."""
    ends = np.cumsum((0, *(sizes or (4, 4, 4, 4, 4, 2))))
    return [tuple(a[i:j] for a in arrays) for i, j in itertools.pairwise(ends)]


class Again:
    """Begins again for each pass, as a loader does; notes what was read."""

    def __init__(self, items):
        self.items, self.read = items, []

    def __iter__(self):
        for k, item in enumerate(self.items):
            self.read.append(k)
            yield item


class Sized(Again):
    def __len__(self):
        return len(self.items)


class ByNumber:
    """Gives each batch by its number."""

    def __init__(self, items):
        self.items, self.read = items, []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        self.read.append(k)
        return self.items[k]


def assert_same(one, other):
    assert one.position.step == other.position.step
    for name, array in one.state().items():
        np.testing.assert_array_equal(array, other.state()[name], err_msg=name)
