"""Arguments of `fit` that Keras has too, compared with Keras' own `fit`; and what it shows."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.base.warning import FormerNameWarning
from dnnbridge.training.progress import LiveLine, progress_callbacks

RNG = np.random.default_rng(1)
X = RNG.normal(size=(22, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype(np.float32)


def make():
    model = db.Sequential([db.Input((3,)), db.Dense(1, kernel_initializer="zeros")])
    return db.compile(db.Experiment(model, "mse", db.SGD(0.1), metrics=["mae"]), "reference")


def keras_losses(**given):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    history = model.fit(X, Y, 4, shuffle=False, verbose=0, **given).history
    return {name.replace("mae", "mean_absolute_error"): v for name, v in history.items()}


CASES = {
    "split": {"validation_split": 0.25, "epochs": 3},
    "split-of-weighted": {"validation_split": 0.3, "epochs": 2, "sample_weight": WEIGHTS},
    "split-rounded": {"validation_split": 0.1, "epochs": 2},
    "every-second-epoch": {"validation_split": 0.25, "epochs": 5, "validation_freq": 2},
    "listed-epochs": {"validation_split": 0.25, "epochs": 5, "validation_freq": [1, 4]},
    "short-epochs": {"steps_per_epoch": 2, "epochs": 5},
    "long-epochs": {"steps_per_epoch": 50, "epochs": 2},
}


@pytest.mark.parametrize("name", CASES)
def test_the_losses_are_those_of_keras(name):
    ours = make().fit(X, Y, 4, shuffle=False, verbose=0, **CASES[name]).history
    theirs = keras_losses(**CASES[name])
    if "sample_weight" in CASES[name]:  # Keras does not divide by the sum of the weights
        theirs = {label: v for label, v in theirs.items() if "loss" in label}
        ours = {label: v for label, v in ours.items() if "loss" in label}
    assert ours.keys() == theirs.keys()
    for label, values in theirs.items():
        np.testing.assert_allclose(ours[label], values, rtol=2e-5, err_msg=label)


def test_class_weights_do_not_count_in_validation():
    model = db.Sequential([db.Input((3,)), db.Dense(2, "softmax")])
    run = db.compile(
        db.Experiment(model, "sparse_categorical_crossentropy", db.SGD(0.0)), "reference"
    )
    labels = np.arange(22) % 2
    found = run.fit(X, labels, class_weight={0: 5.0}, validation_split=0.5, verbose=0).history
    assert found["val_loss"][0] == pytest.approx(run.evaluate(X[11:], labels[11:])["loss"])
    weighted = run.evaluate(X[:11], labels[:11], sample_weight=np.where(labels[:11], 1.0, 5.0))
    assert found["loss"][0] == pytest.approx(weighted["loss"])


def test_short_epochs_go_on_within_a_pass():
    """With shuffling, the parts of a pass together have each example once."""
    whole, parts, resumed = make(), make(), make()
    whole.fit(X, Y, 4, 2, verbose=0)
    parts.fit(X, Y, 4, 6, steps_per_epoch=2, verbose=0)
    for epochs in (1, 3, 2):
        resumed.fit(X, Y, 4, epochs, steps_per_epoch=2, verbose=0)
    for name, array in whole.weights().items():
        np.testing.assert_array_equal(array, parts.weights()[name])
        np.testing.assert_array_equal(array, resumed.weights()[name])
    assert parts.position.epoch == 6
    assert parts.position.step == whole.position.step == 12


def test_the_run_knows_its_first_epoch():
    run = make()
    run.fit(X, Y, 4, 2, verbose=0)
    assert run.fit(X, Y, 4, epochs=5, initial_epoch=2, verbose=0).epochs == [2, 3, 4]
    assert run.fit(X, Y, 4, epochs=5, initial_epoch=5, verbose=0).epochs == []


def test_a_plateau_waits_for_epochs_with_validation():
    run = make()
    run.set_learning_rate(db.Plateau(0.1, patience=2, factor=0.5, min_delta=100.0))
    rates = []

    class Note(db.Callback):
        def on_epoch_end(self, run, epoch, logs):
            rates.append(run.learning_rate)

    run.fit(X, Y, 4, 6, (X, Y), validation_freq=2, callbacks=[Note()], verbose=0)
    assert rates == [0.1, 0.1, 0.1, 0.1, 0.1, 0.05]


def test_groups_have_no_single_rate():
    groups = db.ParameterGroups({"*/bias": db.SGD(0.1), "*": db.SGD(0.2)})
    run = db.compile(make().experiment.replace(optimizer=groups), "reference")
    assert run.learning_rate is None
    run.set_learning_rate(0.3)
    assert run.learning_rate == 0.3


@pytest.mark.parametrize(
    ("verbose", "lines"), [("auto", 2), (2, 2), (1, 2), (True, 2), (0, 0), (False, 0)]
)
def test_what_is_shown_in_a_log(capsys, verbose, lines):
    make().fit(X, Y, 4, 2, (X, Y), verbose=verbose)
    shown = capsys.readouterr()
    assert shown.out == ""
    found = shown.err.split("\n")[:-1]
    assert len(found) == lines
    for number, line in enumerate(found):
        assert line.split("\r")[-1].startswith(f"epoch {number + 1}/2  loss ")
        assert "val_mean_absolute_error" in line


def test_the_former_argument():
    with pytest.warns(FormerNameWarning, match="verbose"):
        make().fit(X, Y, progress=False)


def test_a_line_that_changes():
    stream, run = io.StringIO(), make()
    line = LiveLine(stream)
    line.every_steps = 1
    run.fit(X, Y, 4, 1, callbacks=[line], verbose=0)
    pictures = stream.getvalue().split("\r")[1:]
    assert pictures[0].startswith("epoch 1/1  1/6  ")
    assert "ms/step" in pictures[0]
    assert "left  rate 0.1  loss " in pictures[0]
    assert pictures[-1].rstrip().endswith(" s")
    assert len({len(picture.rstrip("\n")) for picture in pictures}) <= 2


def test_a_notebook_gets_a_line_that_changes(monkeypatch):
    class ZMQInteractiveShell: ...

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell))
    (shown,) = progress_callbacks("auto")
    assert type(shown) is LiveLine
    assert shown.stream is sys.stdout
