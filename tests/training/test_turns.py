"""One run is used by one thread at a time, is fitted once at a time, and is not copied."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, RunError

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X[:, :1]


def make(backend="reference", **fields):
    model = db.Sequential(
        [db.Input((3,)), db.Dense(4, "tanh"), db.BatchNormalization(), db.Dense(1)]
    )
    given = {"loss": db.MeanSquaredError(), "optimizer": db.SGD(0.1, momentum=0.9)} | fields
    return db.compile(db.Experiment(model, **given), backend)


class Do(db.Callback):
    """Do something in the second call of a training."""

    def __init__(self, action):
        self.action, self.done = action, []

    def on_steps_end(self, run, losses):
        if run.position.step == 2:
            self.done.append(self.action(run))


def elsewhere(action):
    """Return what an action raises in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(action).exception(timeout=30)


ACTIONS = {
    "fit": lambda run, path: run.fit(X, Y),
    "evaluate": lambda run, path: run.evaluate(X, Y),
    "predict": lambda run, path: run.predict(X),
    "parameters": lambda run, path: run.parameters(),
    "buffers": lambda run, path: run.buffers(),
    "weights": lambda run, path: run.weights(),
    "state": lambda run, path: run.state(),
    "set_parameters": lambda run, path: run.set_parameters({}),
    "set_weights": lambda run, path: run.set_weights(make().weights()),
    "set_state": lambda run, path: run.set_state(make().state(), run.position),
    "with_experiment": lambda run, path: run.with_experiment(run.experiment),
    "save": lambda run, path: run.save(path),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_another_thread_is_refused_while_fit_trains(action, tmp_path):
    path = tmp_path / "run.safetensors"
    plain, run = make(), make()
    plain.fit(X, Y, 5, 1)
    do = Do(lambda run: elsewhere(lambda: action(run, path)))
    run.fit(X, Y, 5, 1, callbacks=[do], steps_per_call=1)
    (error,) = do.done
    assert isinstance(error, RunError)
    assert "another thread is training this run" in str(error)
    assert not path.exists()
    for name, array in plain.state().items():
        np.testing.assert_array_equal(run.state()[name], array)
    assert elsewhere(lambda: action(run, path)) is None


def test_fit_within_its_own_callback_is_refused_and_changes_nothing():
    plain, run = make(), make()
    plain.fit(X, Y, 5, 1)

    def again(run):
        with pytest.raises(RunError, match="a callback called fit while fit is training"):
            run.fit(X[:7], Y[:7], 3, 1)

    run.fit(X, Y, 5, 1, callbacks=[Do(again)], steps_per_call=1)
    assert run.position == plain.position
    for name, array in plain.state().items():
        np.testing.assert_array_equal(run.state()[name], array)


@pytest.mark.parametrize("action", [*ACTIONS.values()][1:], ids=[*ACTIONS][1:])
def test_a_callback_may_do_all_else(action, tmp_path):
    do = Do(lambda run: action(run, tmp_path / "run.safetensors"))
    make().fit(X, Y, 5, 1, callbacks=[do], steps_per_call=1)
    assert len(do.done) == 1


def test_a_run_may_be_fitted_again_after_an_error():
    def fail(run):
        raise OSError("no")

    run = make()
    with pytest.raises(OSError, match="no"):
        run.fit(X, Y, 5, 1, callbacks=[Do(fail)], steps_per_call=1)
    run.fit(X, Y, 5, 1)
    assert run.position.epoch == 1


def test_stop_and_progress_may_be_asked_from_another_thread():
    run = make()
    do = Do(lambda run: elsewhere(lambda: (run.position, run.optimizer, run.stop())))
    run.fit(X, Y, 5, 3, callbacks=[do], steps_per_call=1)
    assert (do.done, run.position.step) == ([None], 2)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_threads_that_evaluate_and_predict_at_once_get_the_same_numbers(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    run = make(backend)
    x = [X[k:] for k in range(8)]
    evaluated = [run.evaluate(each, each[:, :1]) for each in x]
    predicted = [run.predict(each) for each in x]
    barrier = threading.Barrier(8)

    def work(k):
        barrier.wait(30)
        return [(run.evaluate(x[k], x[k][:, :1]), run.predict(x[k])) for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        for k, found in enumerate(pool.map(work, range(8), timeout=120)):
            for scores, rows in found:
                assert scores == evaluated[k]
                np.testing.assert_array_equal(rows, predicted[k])


def test_two_threads_that_fit_one_run_do_not_mix():
    """One of the two is refused at once, or waits for the other to start and is refused then."""
    run, inside = make(), threading.Event()
    refused = []

    def second():
        assert inside.wait(30)
        refused.append(elsewhere(lambda: run.fit(X, Y, 5, 1)))

    thread = threading.Thread(target=second)
    thread.start()

    def wait(run):
        inside.set()
        thread.join(30)

    run.fit(X, Y, 5, 1, callbacks=[Do(wait)], steps_per_call=1)
    assert isinstance(refused[0], RunError)
    assert run.position.step == 8


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_run_is_neither_pickled_nor_copied(copied):
    with pytest.raises(RunError, match=r"Write run\.save\(path\) and load\(path\)"):
        copied(make())


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_weights_carry_all_that_predictions_depend_on(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    run, other = make(backend, frozen=("dense/kernel",)), make(backend)
    run.fit(X, Y, 5, 3)
    kept, expected = run.weights(), run.predict(X)
    assert kept.keys() == {
        *("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"),
        *(
            f"batch_normalization/{name}"
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        ),
    }
    other.set_weights(kept)
    np.testing.assert_array_equal(other.predict(X), expected)
    other.set_parameters(make(backend).buffers())
    assert not np.array_equal(other.predict(X), expected)  # so buffers matter here


def test_set_weights_misses_none():
    run = make()
    given = run.weights()
    del given["batch_normalization/moving_mean"], given["dense/bias"]
    before = run.weights()
    with pytest.raises(DataError, match=r"arrays are missing, got .*set_parameters"):
        run.set_weights(given)
    with pytest.raises(DataError, match="unknown name"):
        run.set_weights(before | {"dense/kernal": before["dense/kernel"]})
    for name, array in before.items():
        np.testing.assert_array_equal(run.weights()[name], array)
