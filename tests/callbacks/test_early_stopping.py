"""`EarlyStopping`, compared with that of Keras for the same metrics."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

import dnnbridge as db

runs = importlib.import_module("callbacks.runs")
X, Y, make, StandIn = runs.X, runs.Y, runs.make, runs.StandIn

SETTINGS = {
    "defaults": {},
    "patience": {"patience": 3},
    "delta": {"patience": 2, "min_delta": 0.1},
    "negative-delta": {"patience": 2, "min_delta": -0.1},
    "baseline": {"patience": 3, "baseline": 0.2},
    "start": {"patience": 1, "start_from_epoch": 5},
    "restore": {"patience": 2, "restore_best_weights": True},
    "restore-late": {"patience": 1, "restore_best_weights": True, "start_from_epoch": 3},
    "higher": {"patience": 2, "mode": "max", "restore_best_weights": True},
}


def of_keras(values, settings):
    """Return the epoch in which Keras stops, its best value, and the weights that it sets."""
    keras = pytest.importorskip("keras")
    stop = keras.callbacks.EarlyStopping("loss", **settings)
    found = SimpleNamespace(set=None)
    epoch = 0
    model = SimpleNamespace(
        stop_training=False,
        metrics=[],
        get_weights=lambda: epoch,
        set_weights=lambda weights: setattr(found, "set", weights),
    )
    stop.set_model(model)
    stop.on_train_begin()
    for epoch, value in enumerate(values):
        stop.on_epoch_end(epoch, {"loss": value})
        if model.stop_training:
            break
    stop.on_train_end()
    return epoch, stop.best, found.set


@pytest.mark.parametrize("name", SETTINGS)
def test_it_stops_where_keras_does(name):
    rng = np.random.default_rng(3)
    for turn in range(20):
        fall = np.linspace(0.3, 0.0, 12) if turn % 2 else 0.0
        values = (rng.uniform(size=12) + fall).tolist()
        stop = db.EarlyStopping("loss", **SETTINGS[name])
        run = StandIn().train(stop, values)
        assert (run.epoch, stop.best, run.set) == of_keras(values, SETTINGS[name])
        assert stop.stopped_epoch == (run.epoch if run.stopped else None)


def test_the_goal_is_that_of_the_metric():
    stop = db.EarlyStopping("accuracy", patience=1)
    run = StandIn().train(stop, [0.5, 0.6, 0.55, 0.9], "accuracy")
    assert (stop.best, stop.stopped_epoch, run.epoch) == (0.6, 2, 2)


def test_nan_is_no_improvement():
    stop = db.EarlyStopping("loss", patience=2)
    run = StandIn().train(stop, [float("nan"), 0.5, float("nan"), float("nan"), 0.1])
    assert (stop.best, run.epoch) == (0.5, 3)


def test_the_best_weights_come_back_with_running_statistics():
    run, kept = make(0.1), []

    class Keep(db.Callback):
        def on_epoch_end(self, run, epoch, logs):
            kept.append((logs["val_loss"], run.weights()))

    stop = db.EarlyStopping(patience=3, restore_best_weights=True)
    run.fit(X, Y, 8, 30, validation_split=0.25, callbacks=[Keep(), stop], verbose=0)
    best = int(np.argmin([loss for loss, _ in kept]))
    assert stop.best_epoch == best < len(kept) - 1
    for name, array in run.weights().items():
        np.testing.assert_array_equal(array, kept[best][1][name], name)


def test_the_whole_run_goes_back_to_its_best_epoch():
    run, whole = make(0.1), make(0.1)
    stop = db.EarlyStopping(patience=3, restore_best_weights=True, restore_optimizer=True)
    run.fit(X, Y, 8, 30, validation_split=0.25, callbacks=[stop], verbose=0)
    whole.fit(X[:18], Y[:18], 8, stop.best_epoch + 1, verbose=0)
    runs.assert_equal_states(run, whole)


def test_it_says_what_it_does(capsys):
    stop = db.EarlyStopping("loss", patience=1, restore_best_weights=True, verbose=1)
    StandIn().train(stop, [0.5, 0.6])
    assert capsys.readouterr().err == (
        "EarlyStopping: epoch 2: the training ends\n"
        "EarlyStopping: the weights are those of epoch 1\n"
    )
