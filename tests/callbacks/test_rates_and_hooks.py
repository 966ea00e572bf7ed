"""Callbacks that set rates, and when hooks are called, compared with Keras' own `fit`."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import dnnbridge as db

runs = importlib.import_module("callbacks.runs")
X, Y, make = runs.X, runs.Y, runs.make


def keras_fit(callbacks, **given):
    """Train one Dense of zeros with Keras; return its history."""
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=callbacks, **given)


def our_fit(callbacks, **given):
    """Train the same with the reference; return the run and its history."""
    model = db.Sequential([db.Input((3,)), db.Dense(1, kernel_initializer="zeros")])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1), metrics=["mae"]), "reference")
    history = run.fit(X, Y, 8, shuffle=False, verbose=0, callbacks=callbacks, **given)
    return run, history


SCHEDULES = {
    "of-the-rate": lambda epoch, rate: rate * 0.5 if epoch else rate,
    "of-the-epoch": lambda epoch: 0.2 / (1 + epoch),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_function_gives_the_rate_of_each_epoch(name):
    keras = pytest.importorskip("keras")
    theirs = keras_fit([keras.callbacks.LearningRateScheduler(SCHEDULES[name])], epochs=4)
    _, ours = our_fit([db.LearningRateScheduler(SCHEDULES[name])], epochs=4)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-5)


def test_the_rate_falls_on_a_plateau_and_stays_there():
    keras = pytest.importorskip("keras")
    given = {"monitor": "loss", "factor": 0.5, "patience": 2, "min_delta": 0.3}
    theirs = keras_fit([keras.callbacks.ReduceLROnPlateau(**given)], epochs=9)
    run, ours = our_fit([db.ReduceLROnPlateau(**given)], epochs=9)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-5)
    assert run.learning_rate == pytest.approx(float(theirs.model.optimizer.learning_rate))
    assert run.learning_rate < 0.1
    assert run.optimizer == db.SGD(run.learning_rate)


def test_a_plateau_goes_on_from_a_file(tmp_path):
    def callbacks():
        return [db.ReduceLROnPlateau("loss", 0.5, patience=2, min_delta=0.3)]

    whole, _ = our_fit(callbacks(), epochs=6)
    path = tmp_path / "{epoch}.safetensors"
    our_fit([*callbacks(), db.ModelCheckpoint(path)], epochs=3)
    again = db.load(tmp_path / "3.safetensors", "reference")
    again.fit(X, Y, 8, 3, shuffle=False, verbose=0, callbacks=callbacks())
    runs.assert_equal_states(whole, again)


def test_functions_are_called_as_keras_calls_them():
    def notes(log):
        def note(name):
            def hook(*numbers, logs=None):
                *numbers, logs = (*numbers, logs) if logs is not None else numbers
                log.append((name, *numbers, *sorted(logs)))

            return hook

        names = ("train_begin", "epoch_begin", "train_batch_begin", "train_batch_end")
        return {f"on_{n}": note(n) for n in (*names, "epoch_end", "train_end")}

    theirs, ours = [], []
    keras = pytest.importorskip("keras")
    keras_fit([keras.callbacks.LambdaCallback(**notes(theirs))], epochs=2)
    our_fit([db.LambdaCallback(**notes(ours))], epochs=2)
    renamed = [tuple("mae" if x == "mean_absolute_error" else x for x in row) for row in ours]
    assert [tuple(sorted(map(str, row))) for row in renamed] == [
        tuple(sorted(map(str, row))) for row in theirs
    ]


class Notes(db.Callback):
    def __init__(self):
        self.log = []

    def on_train_begin(self, run, epochs, steps_per_epoch):
        self.log.append(f"train {epochs} x {steps_per_epoch}")

    def on_epoch_begin(self, run, epoch):
        self.log.append(f"epoch {epoch}")

    def on_steps_begin(self, run, steps):
        self.log.append(f"steps {run.position.batch}+{steps}")

    def on_steps_end(self, run, losses):
        assert run.epoch_logs["loss"] == pytest.approx(np.mean(losses)) or run.position.batch > 2

    def on_validation_begin(self, run, epoch):
        self.log.append(f"validation {epoch}")

    def on_validation_end(self, run, epoch, logs):
        self.log.append(" ".join(logs))

    def on_epoch_end(self, run, epoch, logs):
        self.log.append(f"epoch {epoch} ends")

    def on_train_end(self, run):
        self.log.append(f"end {run.finished}")


def test_the_order_of_the_hooks():
    notes = Notes()
    notes.every_steps = 2
    run = make()
    run.fit(X, Y, 8, 2, (X, Y), callbacks=[notes], validation_freq=2, verbose=0)
    assert notes.log == [
        *("train 2 x 3", "epoch 0", "steps 0+2", "steps 2+1", "epoch 0 ends"),
        *("epoch 1", "steps 0+1", "steps 1+2", "validation 1"),
        *("val_loss val_mean_absolute_error", "epoch 1 ends", "end True"),
    ]


def test_an_epoch_that_goes_on_begins_again():
    class Stop(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            run.stop()

    run, notes = make(), Notes()
    run.fit(X, Y, 8, 1, callbacks=[Stop()], verbose=0)
    assert run.finished
    run.fit(X, Y, 8, 1, callbacks=[notes], verbose=0)
    assert notes.log == ["train 1 x 3", "epoch 0", "steps 1+2", "epoch 0 ends", "end True"]


@pytest.mark.parametrize(
    ("needed", "given", "calls"),
    [((), 4, [4, 2]), ((1,), "auto", [1] * 6), ((4, 6), "auto", [2, 2, 2]), ((4,), 3, [3, 1, 2])],
)
def test_callbacks_say_how_many_steps_a_call_may_have(needed, given, calls):
    class Needs(db.Callback):
        def __init__(self, steps):
            self.every_steps = steps

        def on_steps_end(self, run, losses):
            pass

    seen = []

    class Count(db.Callback):
        def on_steps_end(self, run, losses):
            seen.append(len(losses))

    callbacks = [*map(Needs, needed), Count()]
    make().fit(X, Y, 4, 1, callbacks=callbacks, steps_per_call=given, verbose=0)
    assert seen == calls


def test_a_run_that_failed_is_not_finished():
    class Fail(db.Callback):
        def on_epoch_begin(self, run, epoch):
            raise ValueError("mine")

    run, notes = make(), Notes()
    with pytest.raises(ValueError, match="mine"):
        run.fit(X, Y, 8, callbacks=[notes, Fail()], verbose=0)
    assert notes.log[-1] == "end False"
    assert not run.finished
