"""`clear_session` frees what is kept for runs to come, and nothing else."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.graph import Graph

X, Y = np.ones((8, 3), np.float32), np.zeros((8, 2), np.float32)


def trained(backend, units=5):
    layers = [db.Input((3,)), db.Dense(units, "relu"), db.LayerNormalization(), db.Dense(2)]
    run = db.compile(db.Experiment(db.Sequential(layers), "mse", db.SGD(0.1)), backend)
    run.fit(X, Y, 4, verbose=0)
    run.evaluate(X, Y)
    run.predict(X)
    return run


@pytest.fixture(params=["reference", "tensorflow", "mindspore"])
def backend(request):
    if request.param != "reference":
        pytest.importorskip(request.param)
    gc.unfreeze()
    yield request.param
    db.clear_session()


def alive(kind):
    """Return how many objects of a class there are after a collection."""
    gc.collect()
    return sum(issubclass(type(each), kind) for each in gc.get_objects())


def traced_graphs():
    """Return how many graphs of functions there are; TensorFlow keeps one of its own."""
    tf = pytest.importorskip("tensorflow")
    gc.collect()
    found = [each for each in gc.get_objects() if issubclass(type(each), tf.Graph)]
    return sum(type(each) is not tf.Graph for each in found)


def test_what_was_compiled_is_gone(backend):
    db.clear_session()
    before = alive(Graph)
    run = trained(backend)
    executable = weakref.ref(run._engine.executable)
    del run
    db.clear_session()
    assert executable() is None
    assert alive(Graph) == before


def test_runs_that_live_go_on(backend):
    run = trained(backend)
    state = run.state()
    db.clear_session()
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, state[name])
    run.fit(X, Y, 4, verbose=0)
    assert np.isfinite(run.predict(X)).all()


def test_no_graph_of_tensorflow_outlives_its_run():
    """Broadcast additions, sums and the LSTM have derivatives of their own."""
    pytest.importorskip("tensorflow")
    gc.unfreeze()
    layers = [db.Input((4, 3)), db.LSTM(5), db.LayerNormalization(), db.Dense(2)]
    experiment = db.Experiment(db.Sequential(layers), "mse", db.SGD(0.1))
    x = np.ones((8, 4, 3), np.float32)
    db.clear_session()
    before = traced_graphs()
    run = db.compile(experiment, "tensorflow")
    run.fit(x, Y, 4, verbose=0)
    run.predict(x)
    assert traced_graphs() > before
    del run
    db.clear_session()
    assert traced_graphs() == before
