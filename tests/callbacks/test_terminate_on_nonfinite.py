"""The first layer or gradient that is not finite is named, with its step."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, NonFiniteError, UnsupportedError
from dnnbridge.training.engine import Engine

ROWS, BATCH = 20, 4
BACKENDS = ["reference", "tensorflow", "mindspore"]


def data(value, row):
    """Return rows between 1 and 2, but one with another value."""
    x = np.random.default_rng(0).uniform(1.0, 2.0, (ROWS, 2)).astype(np.float32)
    x[row] = value
    return x, np.ones((ROWS, 1), np.float32)


def ones(name, **more):
    return db.Dense(1, kernel_initializer="ones", name=name, **more)


def net(*layers):
    return db.Sequential([db.Input((2,)), *layers])


def logarithm():
    """A layer within a model gives -inf for a row of zeros, and all layers after it do."""
    inner = net(db.Elementwise("square", name="square"), db.Elementwise("log", name="log"))
    body = inner.replace(name="body")
    return net(body, db.Dense(3, "tanh"), db.Dropout(0.2), ones("last"))


def overflow():
    return net(ones("first"), db.Elementwise("exp", name="exp"), ones("last"))


def root():
    """The square root is 0 at 0, and its derivative is infinite."""
    start = db.Dense(2, kernel_initializer="identity", use_bias=False, name="first")
    return net(start, ones("sum", use_bias=False), db.Elementwise("sqrt"), ones("last"))


def powers():
    """Predictions are finite, and their squares are not, in float64 either."""
    return net(*[db.Elementwise("square") for _ in range(3)], ones("last"))


FAULTS = {
    "log of 0": (logarithm, 0.0, 13, (4, "output", "body/log")),
    "log of 0 in the first step": (logarithm, 0.0, 1, (1, "output", "body/log")),
    "exp overflows": (overflow, 1e3, 17, (5, "output", "exp")),
    "gradient of a root": (root, 0.0, 6, (2, "gradient", "sum/kernel")),
    "gradient in the last step": (root, 0.0, 19, (5, "gradient", "sum/kernel")),
    "loss": (powers, 1e38, 9, (3, "loss", "loss")),
}


def fitted(make, value, row, backend="reference", ending=None, rate=1e-6, **how):
    x, y = data(value, row)
    run = db.compile(db.Experiment(make(), "mse", db.SGD(rate, momentum=0.9), seed=1), backend)
    given = {"batch_size": BATCH, "epochs": 3, "shuffle": False, "verbose": 0} | how
    return run, run.fit(x, y, callbacks=[ending] if ending else [], **given)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("steps_per_call", ["auto", 1])
def test_a_planted_fault_is_found(name, steps_per_call, caplog):
    make, value, row, wanted = FAULTS[name]
    ending = db.TerminateOnNonFinite()
    run, history = fitted(make, value, row, ending=ending, steps_per_call=steps_per_call)
    assert (ending.step, ending.kind, ending.where) == wanted
    assert history.nonfinite_step == wanted[0]
    assert history.nonfinite_what == ending.message
    (record,) = caplog.records
    assert record.getMessage().startswith(f"step {wanted[0]}: ")
    assert wanted[2] in ending.message
    without, _ = fitted(make, value, row, steps_per_call=steps_per_call)
    if wanted[1] != "gradient":  # else the run ends a step later without the callback
        assert run.position == without.position
        for key, array in without.state().items():
            np.testing.assert_array_equal(run.state()[key], array, key)


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_faults_are_found_on_every_backend(backend):
    pytest.importorskip(backend)
    for name in ("log of 0", "gradient of a root"):
        make, value, row, wanted = FAULTS[name]
        ending = db.TerminateOnNonFinite()
        fitted(make, value, row, backend, ending)
        assert (ending.step, ending.kind, ending.where) == wanted, name


def test_an_update_that_overflows_is_told_from_a_gradient():
    pytest.importorskip("tensorflow")
    ending = db.TerminateOnNonFinite()
    fitted(lambda: net(ones("last")), 1.0, 0, "tensorflow", ending, rate=3e38)
    assert (ending.step, ending.kind) == (1, "update")
    assert ending.where.startswith("last/")
    assert "gradients are finite" in ending.message


def test_an_error_names_the_layer():
    with pytest.raises(NonFiniteError, match="fit: step 4: the output of the layer body/log") as e:
        fitted(logarithm, 0.0, 13, ending=db.TerminateOnNonFinite(), on_nonfinite="raise")
    assert e.value.step == 4
    make, value, row, _ = FAULTS["gradient in the last step"]
    ending = db.TerminateOnNonFinite()
    with pytest.raises(NonFiniteError, match="step 5: the loss is finite, and the gradient of sum"):
        fitted(make, value, row, ending=ending, on_nonfinite="raise", epochs=1)


def test_a_fault_of_a_later_epoch_is_found():
    ending = db.TerminateOnNonFinite()
    run, _ = fitted(logarithm, 1.5, 13)
    x, y = data(0.0, 13)
    assert run.position.epoch == 3
    run.fit(x, y, batch_size=BATCH, shuffle=False, callbacks=[ending], verbose=0)
    assert (ending.step, ending.where) == (3 * ROWS // BATCH + 4, "body/log")


def test_what_a_callback_has_spoilt_is_not_ascribed_to_a_layer():
    class Spoil(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            if run.position.step == 7:
                run.set_parameters({"last/bias": [np.nan]})

    ending = db.TerminateOnNonFinite()
    x, y = data(1.5, 0)
    run = db.compile(db.Experiment(overflow(), "mse", "sgd"), "reference")
    run.fit(x, y, BATCH, 5, callbacks=[ending, Spoil()], verbose=0)
    assert (ending.kind, ending.where) == ("", "")
    assert ending.step in (7, 8)


def test_a_finite_training_is_the_same_with_it():
    ending = db.TerminateOnNonFinite()
    run, _ = fitted(logarithm, 1.5, 0, ending=ending)
    without, _ = fitted(logarithm, 1.5, 0)
    assert ending.step is None
    for key, array in without.state().items():
        np.testing.assert_array_equal(run.state()[key], array, key)


def test_copies_are_few(monkeypatch):
    """Two for each epoch, and others only after the time of 100 copies."""
    reads, real = [], Engine.read
    monkeypatch.setattr(Engine, "read", lambda self: reads.append(1) or real(self))
    fitted(logarithm, 1.5, 0, ending=db.TerminateOnNonFinite(), steps_per_call=1)
    assert 6 <= len(reads) <= 7 + 3 * 5
    reads.clear()
    fitted(logarithm, 1.5, 0, ending=db.TerminateOnNonFinite(locate=False), steps_per_call=1)
    assert len(reads) <= 1  # the check at the end of fit


def test_without_copies_the_step_is_named():
    ending = db.TerminateOnNonFinite(locate=False)
    _, history = fitted(logarithm, 0.0, 13, ending=ending)
    assert (ending.step, ending.kind, ending.where) == (4, "", "")
    assert history.nonfinite_step == 4


def test_a_backend_that_cannot_look_into_a_step_names_the_step(monkeypatch, caplog):
    def refuse(self):
        raise UnsupportedError("no such function", where="probes")

    monkeypatch.setattr(Engine, "probes", refuse)
    ending = db.TerminateOnNonFinite()
    run, _ = fitted(logarithm, 0.0, 13, ending=ending)
    assert (ending.step, ending.where) == (4, "")
    assert "cannot be found: probes: no such function" in caplog.text
    without, _ = fitted(logarithm, 0.0, 13)
    for key, array in without.state().items():
        np.testing.assert_array_equal(run.state()[key], array, key)


def test_the_argument_is_checked():
    with pytest.raises(DataError, match="locate: must be True or False"):
        db.TerminateOnNonFinite(locate="yes")


def test_a_fault_of_weights_that_have_moved_is_found():
    """The weight falls from 1 below 0 within two steps, and its logarithm is then NaN."""
    model = net(ones("first", use_bias=False), db.Elementwise("log", name="log"))
    x, y = np.full((8, 2), 0.5, np.float32), np.full((8, 1), -5.0, np.float32)
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    ending = db.TerminateOnNonFinite()
    run.fit(x, y, 1, callbacks=[ending], verbose=0, steps_per_call=8)
    assert 1 < ending.step < 8
    assert (ending.kind, ending.where) == ("output", "log")
    assert "nan" in ending.message
