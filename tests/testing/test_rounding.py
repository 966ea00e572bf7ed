"""The reference with random roundings does not affect other runs."""

from __future__ import annotations

import numpy as np

import dnnbridge as db
from dnnbridge.base import randomness
from dnnbridge.testing.rounding import RoundedBackend
from dnnbridge.testing.subject import Subject

X = np.random.default_rng(0).random((8, 5, 3))
MODEL = db.Sequential([db.Input((5, 3)), db.LSTM(4), db.Dense(2, "softmax")])
EXPERIMENT = db.Experiment(MODEL, "mse", db.SGD(0.1))


def rounded(fully=False, sample=0):
    return Subject(RoundedBackend(sample, fully)).run(EXPERIMENT).predict(X)


def exact():
    return db.compile(EXPERIMENT, "reference").predict(X)


def test_it_is_off_by_roundings_of_float32_and_the_same_again():
    off = np.abs(rounded() / exact() - 1.0)
    assert 1e-9 < off.max() < 1e-6
    np.testing.assert_array_equal(rounded(), rounded())
    assert (rounded() != rounded(sample=1)).any()
    assert (rounded() != rounded(fully=True)).any()


def test_what_is_computed_meanwhile_is_exact(monkeypatch):
    wanted, found = exact(), []

    class Interrupting:
        """Draws like NumPy. At its first draw another run computes, as a thread might."""

        def __init__(self, rng):
            self.rng = rng

        def uniform(self, *given):
            if not found:
                found.append(None)
                found[0] = exact()
            return self.rng.uniform(*given)

    generator = randomness.generator

    def interrupting(*key):
        made = generator(*key)
        return Interrupting(made) if key[1:] == ("roundings",) else made

    monkeypatch.setattr(randomness, "generator", interrupting)
    assert (rounded() != wanted).any()
    np.testing.assert_array_equal(found[0], wanted)
