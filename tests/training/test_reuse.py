"""A new run of an earlier experiment compiles nothing, and starts from the initial state."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.training import reuse

RNG = np.random.default_rng(0)
X, Y = RNG.random((20, 3), np.float32), RNG.random((20, 2), np.float32)


def experiment(rate=0.1, seed=0, units=4):
    model = db.Sequential(
        [db.Input((3,)), db.Dense(units, "tanh"), db.BatchNormalization(), db.Dense(2)]
    )
    optimizer = db.SGD(rate, momentum=0.9)
    return db.Experiment(model, db.MeanSquaredError(), optimizer, seed=seed)


def trained(backend, **fields):
    run = db.compile(experiment(**fields), backend)
    run.fit(X, Y, 4, 2)
    return run.state(), run.compilations


@pytest.fixture(params=["tensorflow", "mindspore"])
def backend(request):
    pytest.importorskip(request.param)
    reuse.clear()
    yield request.param
    reuse.clear()


def test_the_same_experiment_again_compiles_nothing(backend):
    fresh, compiled = trained(backend, rate=0.05, seed=7)
    reuse.clear()
    trained(backend)
    gc.collect()
    state, again = trained(backend, rate=0.05, seed=7)
    assert (compiled > 0, again) == (True, 0)
    for name, array in fresh.items():
        np.testing.assert_array_equal(state[name], array)


def test_a_run_that_lives_keeps_its_own(backend):
    first = db.compile(experiment(), backend)
    first.fit(X, Y, 4, 1)
    before = first.state()
    trained(backend)
    for name, array in before.items():
        np.testing.assert_array_equal(first.state()[name], array)


def test_the_end_of_one_run_compiles_no_other(backend, monkeypatch):
    monkeypatch.setattr(reuse, "MOST", 0)
    runs = [db.compile(experiment(units=4 + i), backend) for i in range(3)]
    for run in runs:
        run.fit(X, Y, 4, 1)
        run.predict(X, 4)
    while len(runs) > 1:
        del runs[0]
        gc.collect()
        before = [run.compilations for run in runs]
        for run in runs:
            run.fit(X, Y, 4, 1)
            run.predict(X, 4)
        assert [run.compilations for run in runs] == before


def test_another_model_is_compiled(backend):
    trained(backend)
    gc.collect()
    assert trained(backend, units=5)[1] > 0


def test_the_one_kept_longest_makes_room(backend):
    runs = [db.compile(experiment(units=n), backend) for n in range(1, reuse.MOST + 3)]
    del runs
    gc.collect()
    assert len(reuse._kept) == reuse.MOST
