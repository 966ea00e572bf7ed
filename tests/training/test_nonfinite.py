"""A training whose loss or weights are no longer finite ends, says where, and spoils no file."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import CheckpointError, DataError, DnnbridgeError, NonFiniteError
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES

X = np.linspace(-1.0, 1.0, 40, dtype=np.float32).reshape(20, 2)
Y = X @ np.float32([[1.0], [2.0]])


class Blow(db.Callback):
    """Sets the weights to NaN, or another number, after some steps."""

    def __init__(self, step, value=np.nan):
        self.step, self.value, self.calls = step, value, []

    def on_steps_end(self, run, losses):
        self.calls.append(run.position.step)
        if run.position.step == self.step:
            run.set_parameters({"dense/kernel": np.full((2, 1), self.value)})

    def on_train_end(self, run):
        self.calls.append("end")


def make(backend="reference", **fields):
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    given = {"model": model, "loss": db.MeanSquaredError(), "optimizer": db.SGD(0.01)}
    return db.compile(db.Experiment(**(given | fields)), backend)


def fit(run, callbacks=(), epochs=3, **given):
    return run.fit(X, Y, 5, epochs, callbacks=callbacks, steps_per_call=1, **given)


def test_training_stops_after_the_call_in_which_a_loss_was_not_finite(caplog):
    run, blow = make(), Blow(6)
    history = fit(run, [blow])
    assert history.nonfinite_step == 7
    assert len(history.step_losses) == run.position.step == 7
    assert np.isfinite(history.step_losses).tolist() == [True] * 6 + [False]
    assert history.epochs == [0]  # the second epoch is incomplete
    assert blow.calls == [1, 2, 3, 4, 5, 6, 7, "end"]
    (record,) = caplog.records
    assert "the loss of step 7 is not finite (nan): training ends here" in record.getMessage()


def test_the_step_within_a_longer_call_is_named():
    run = make(optimizer=db.SGD(1e38))  # each step makes the weights 1e38 times as large
    history = run.fit(X, Y, 1, 2, steps_per_call=20)
    losses = history.step_losses
    assert history.nonfinite_step == 1 + int(np.flatnonzero(~np.isfinite(losses))[0])
    assert 1 < history.nonfinite_step < 20
    assert run.position.step == 20


def test_raise_names_the_step_and_ends_callbacks():
    run, blow = make(), Blow(6)
    with pytest.raises(
        NonFiniteError, match=r"fit: the loss of step 7 is not finite, got nan"
    ) as e:
        fit(run, [blow], on_nonfinite="raise")
    assert e.value.step == 7
    assert isinstance(e.value, DnnbridgeError)
    assert blow.calls[-2:] == [7, "end"]


def test_warn_goes_on_and_says_so_once(caplog):
    run = make()
    history = fit(run, [Blow(6)], on_nonfinite="warn")
    assert (run.position.step, history.nonfinite_step) == (12, 7)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "training goes on" in caplog.text


@pytest.mark.parametrize("value", ["Stop", None, True])
def test_another_choice_is_refused(value):
    with pytest.raises(DataError, match=r"on_nonfinite: unknown choice.*raise, stop, warn"):
        fit(make(), on_nonfinite=value)


@pytest.mark.parametrize("choice", ["stop", "raise", "warn"])
def test_weights_that_the_last_step_spoilt_are_noticed(choice, caplog):
    """The loss of the last step is finite, and there is no further loss."""
    run = make()
    what = "the loss of step 12 is finite, but weights after its update are not"
    if choice == "raise":
        with pytest.raises(NonFiniteError, match=what):
            fit(run, [Blow(12)], on_nonfinite=choice)
        return
    history = fit(run, [Blow(12)], on_nonfinite=choice)
    assert np.isfinite(history.step_losses).all()
    assert history.nonfinite_step == 12
    assert f"{what} (dense/kernel)" in caplog.text


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_steps_that_a_dynamic_loss_scale_leaves_out_stop_nothing(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    scale = db.DynamicLossScale(initial=2.0**126)
    run = make(backend, loss_scale=scale, optimizer=db.SGD(0.01))
    y = 1e10 * Y  # times 2^126 is beyond float32, but within float64
    history = run.fit(X, y, 5, 3)
    assert (run.position.step, history.nonfinite_step) == (12, None)
    if backend != "reference":
        assert run.state()["loss_scale:scale"] < 2.0**126


class Overflows(db.Callback):
    """Notes steps after which the sum of a window's gradients is not finite, and ends there."""

    def __init__(self):
        self.steps = []

    def on_steps_end(self, run, losses):
        if not np.isfinite(run.state()["dense/kernel:accumulated"]).all():
            self.steps.append(run.position.step)
            run.stop()


@pytest.mark.parametrize("last", ["update", "carry"])
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_an_overflow_inside_a_window_is_backed_up_and_goes_on(backend, last, tmp_path, caplog):
    pytest.importorskip(backend)
    fields = {
        "accumulate": db.Accumulation(3, last=last),
        "loss_scale": db.DynamicLossScale(initial=2.0**126, factor=2.0**60),
        "optimizer": db.SGD(0.01),
    }
    whole, run, seen = make(backend, **fields), make(backend, **fields), Overflows()
    y = 1e10 * Y  # times 2^126 is beyond float32
    whole.fit(X, y, 5, 2, verbose=0)
    assert whole.history.nonfinite_step is None
    callbacks = [
        seen,
        db.TerminateOnNonFinite(),
        db.BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False),
    ]
    run.fit(X, y, 5, 2, callbacks=callbacks, verbose=0)
    assert seen.steps == [1]  # the training ends in the middle of a window that overflowed
    assert [path.name for path in tmp_path.iterdir()] == ["backup.safetensors"]
    again = make(backend, **fields)
    again.fit(X, y, 5, 2, callbacks=[db.BackupAndRestore(tmp_path, save_freq=1)], verbose=0)
    assert not list(tmp_path.iterdir())
    for name, array in whole.state().items():
        np.testing.assert_array_equal(again.state()[name], array, err_msg=name)
    assert "finite" not in caplog.text


def test_an_overflow_that_no_loss_scale_handles_is_a_fault(tmp_path):
    for number, fields in enumerate(
        ({}, {"loss_scale": 8.0}, {"loss_scale": db.DynamicLossScale()})
    ):
        run = make(accumulate=2, **fields)
        state = run.state()
        state["dense/bias:accumulated"][...] = np.inf
        run.set_state(state, run.position)
        handled = number == 2
        name = run.save(tmp_path / "run.safetensors").name
        assert name == ("run.safetensors" if handled else "run.nonfinite.safetensors")


def test_a_spoilt_run_goes_beside_the_good_file(tmp_path, caplog):
    path = tmp_path / "run.safetensors"
    run = make()
    fit(run, [db.Checkpoint(path, every=1)], epochs=1)
    good = path.read_bytes()
    fit(run, [db.Checkpoint(path, every=1), Blow(6)])
    assert path.read_bytes() == good
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "run.nonfinite.safetensors",
        "run.safetensors",
    ]
    assert (
        "arrays with NaN or infinity: dense/kernel, dense/bias. The run is saved next to"
        in caplog.text
    )
    caplog.clear()
    assert db.load(path, "reference").position.epoch == 1
    assert not caplog.records
    spoilt = db.load(tmp_path / "run.nonfinite.safetensors", "reference")
    assert spoilt.position == run.position
    assert "run.nonfinite.safetensors holds arrays with NaN or infinity: dense/" in caplog.text
    assert spoilt.save(tmp_path / "run.nonfinite.safetensors").name == "run.nonfinite.safetensors"


def test_slots_count_too(tmp_path):
    run = make(optimizer=db.SGD(0.1, momentum=0.9))
    state = run.state()
    state["dense/bias:velocity"][...] = np.inf
    run.set_state(state, run.position)
    assert run.save(tmp_path / "run.safetensors").name == "run.nonfinite.safetensors"


def test_an_error_names_the_file_beside(tmp_path):
    run = make()
    run.set_parameters({"dense/kernel": np.full((2, 1), np.nan)})
    path = tmp_path / "run.safetensors"
    assert run.save(path) == tmp_path / "run.nonfinite.safetensors"
    with pytest.raises(CheckpointError, match=r"but run\.nonfinite\.safetensors exists"):
        db.load(path)


def test_no_optimizer_starts_with_what_is_not_finite():
    for case in OPTIMIZER_CASES:
        for name, slot in case.optimizer.slots((2, 3)).items():
            drawn = slot.initializer.sample(np.random.default_rng(0), slot.shape)
            assert np.isfinite(drawn).all(), f"{case.id} {name}"


def test_an_error_keeps_its_step_at_another_place():
    error = NonFiniteError("the loss of step 7 is not finite", where="fit", step=7)
    assert (error.placed("a.py: fit").step, error.at("run").step) == (7, 7)
