"""Sources of batches that raise or do not fit, and arguments that do not go with them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from training.sources_of_batches import WEIGHTS, Again, Sized, X, Y, assert_same, batches, make

import dnnbridge as db
from dnnbridge.errors import ArgumentError, DataError, DnnbridgeError


def failing(error, after):
    yield from batches()[:after]
    raise error


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_error_of_the_source_is_raised_as_it_is(after):
    error, run, expected = OSError("disk"), make(), make()
    with pytest.raises(OSError, match="disk") as caught:
        run.fit(failing(error, after), verbose=0)
    assert caught.value is error
    assert error.__notes__ == [f"This came from a generator, asked for batch {after + 1}."]
    assert len(run.history.step_losses) == run.position.step == run.position.batch == after
    assert no_threads()
    run.fit(Again(batches()), verbose=0)  # goes on at the batch that failed
    expected.fit(X, Y, 4, shuffle=False, verbose=0)
    assert_same(run, expected)


def no_threads():
    return not [t for t in threading.enumerate() if t.name.startswith("dnnbridge-ahead")]


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_errors_of_other_calls(call):
    run = make()
    with pytest.raises(OSError, match="disk"):
        getattr(run, call)(failing(OSError("disk"), 2))
    assert no_threads()
    assert run.position.step == 0


BAD = {
    "nan": ([*batches(), (X * np.nan, Y)], "batch 7: x[0, 0]: holds NaN or infinity"),
    "shape": ([(X[:, :2], Y)], "batch 1: x: needs shape (batch, 3), got shape (22, 2)"),
    "rows": ([(X, Y[:4])], "batch 1: x and y: need the same, non-zero number of rows"),
    "empty": ([(X[:0], Y[:0])], "batch 1: x and y: need the same, non-zero number of rows"),
    "single": ([(X[0], Y[0])], "The source gives single examples; let it make batches"),
    "inputs-alone": ([X], "Let the source give (x, y)"),
    "parts": ([(X, Y, WEIGHTS, 1)], "batch 1: must be (x, y) or (x, y, sample_weight), got 4"),
    "number": ([3], "batch 1: needs inputs and labels, got a int"),
    "nothing": ([], "has no batch for epoch 1, got a list. Give at least one batch."),
}


@pytest.mark.parametrize("name", BAD)
def test_batches_that_do_not_fit_are_named(name):
    given, message = BAD[name]
    run = make()
    with pytest.raises(DnnbridgeError) as caught:
        run.fit(Again(given) if given else given, shuffle=False, verbose=0)
    assert message in str(caught.value)
    assert run.position.step == (6 if name == "nan" else 0)


ARGUMENTS = {
    "batch_size": ({"batch_size": 4}, "each batch of the source is a step"),
    "y": ({"y": Y}, "each batch is (x, y)"),
    "sample_weight": ({"sample_weight": WEIGHTS}, "(x, y, sample_weight)"),
    "validation_split": ({"validation_split": 0.2}, "a second source as validation_data"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_do_not_go_with_a_source(name):
    given, message = ARGUMENTS[name]
    with pytest.raises(ArgumentError) as caught:
        make().fit(Again(batches()), **given)
    assert str(caught.value).startswith(f"fit: {name}: does not go with a source of batches")
    assert message in str(caught.value)


def test_what_is_read_once_is_not_asked_twice():
    run = make()
    with pytest.raises(DataError, match=r"can be read once, not for 2 epochs.*begin again"):
        run.fit(iter(batches()), epochs=2)
    with pytest.raises(DataError, match="validation_data: can be read once, not for 3 evaluations"):
        run.fit(X, Y, epochs=3, validation_data=iter(batches()))
    assert run.position.step == 0
    found = run.fit(X, Y, epochs=3, validation_data=iter(batches()), validation_freq=3, verbose=0)
    assert len(found.history["val_loss"]) == 1
    ended = iter(batches())
    run.evaluate(ended)
    with pytest.raises(DataError, match="has no batch, got a list_iterator"):
        run.evaluate(ended)


def test_lists_of_batches_for_validation():
    run = make()
    pairs, source = batches(11, 11), Again(batches(11, 11))
    losses = [
        make().fit(X, Y, 4, 1, given, verbose=0).history["val_loss"][0]
        for given in (pairs, source, (X, Y), [X, Y])
    ]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)
    assert run.evaluate(pairs)["loss"] == pytest.approx(run.evaluate(X, Y)["loss"], rel=1e-6)


def test_a_model_with_states_takes_batches_of_its_size():
    layers = [db.Input((2, 1), batch_size=2), db.LSTM(2, stateful=True), db.Dense(1)]
    run = db.compile(db.Experiment(db.Sequential(layers), "mse", "sgd"), "reference")
    x, y = np.ones((4, 2, 1), np.float32), np.ones((4, 1), np.float32)
    run.fit(Again([(x[:2], y[:2])]), verbose=0)
    with pytest.raises(DataError, match=r"batch 1: must have 2 rows.*got 4 rows"):
        run.fit(Again([(x, y)]), verbose=0)


def test_progress_of_unknown_and_known_length(capsys):
    make().fit(Again(batches()), epochs=2, verbose=2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    heard = []

    class Begin(db.Callback):
        def on_train_begin(self, run, epochs, steps_per_epoch):
            heard.append((epochs, steps_per_epoch))

    for source in (Again(batches()), Sized(batches())):
        make().fit(source, epochs=2, callbacks=[Begin()], verbose=1)
    assert heard == [(2, 0), (2, 6)]
    shown = capsys.readouterr().err.replace("\r", "\n")
    assert "epoch 1/2  6  " in shown
    assert "epoch 1/2  6/6  " in shown
