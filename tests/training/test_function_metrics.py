"""Python functions as metrics."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, SpecError

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(11, 4)), RNG.normal(size=(11, 2))


@db.metric
def mean_error_of_test(y_true, y_pred):
    return abs(y_true - y_pred)


def within(y_true, y_pred):
    return db.ops.reduce_max((y_true - y_pred) ** 2, -1) < 4.0


def experiment(*metrics, **fields):
    model = db.Sequential([db.Input((4,)), db.Dense(2)])
    return db.Experiment(model, "mse", db.SGD(0.1), metrics=metrics, **fields)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_function_has_the_same_number_however_data_are_batched(backend):
    run = db.compile(experiment(mean_error_of_test, within), backend)
    p = run.predict(X)
    for size in (4, 11):
        found = run.evaluate(X, Y, size)
        assert found["mean_error_of_test"] == pytest.approx(np.abs(Y - p).mean(), rel=1e-5)
        assert found["within"] == pytest.approx((((Y - p) ** 2).max(-1) < 4.0).mean(), rel=1e-6)
    assert "val_within" in run.fit(X, Y, 4, 1, validation_data=(X, Y), verbose=0).history


def test_class_numbers_and_weights():
    def wrong(y_true, y_pred):
        right = db.ops.equal(db.ops.argmax(y_pred), y_true)
        return 1.0 - db.ops.cast(right, "float32")

    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(
        db.Experiment(model, loss, "sgd", [wrong], weighted_metrics=[wrong]), "reference"
    )
    y, w = RNG.integers(0, 3, 11), RNG.random(11)
    missed = run.predict(X).argmax(1) != y
    found = run.evaluate(X, y, 4, sample_weight=w)
    assert found["wrong"] == pytest.approx(missed.mean())
    assert found["weighted_wrong"] == pytest.approx(np.average(missed, weights=w), rel=1e-6)


def test_a_registered_function_is_written_by_its_name(tmp_path):
    made = experiment(mean_error_of_test)
    assert made == experiment("mean_error_of_test")
    assert db.Experiment.from_json(made.to_json()) == made
    assert repr(made.metrics[0]) == "FunctionMetric(function='mean_error_of_test')"
    run = db.compile(made, "reference")
    run.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", backend="reference")
    assert again.evaluate(X, Y) == run.evaluate(X, Y)
    text = made.to_json()
    code = "import sys, dnnbridge as db, dnnbridge.errors as e\n"
    code += "try: db.Experiment.from_json(sys.stdin.read())\n"
    code += "except e.SpecError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True
    )
    assert "the name of a registered one, got 'mean_error_of_test'" in done.stdout
    assert "import that module first" in done.stdout


def test_a_function_that_is_not_registered_trains_and_is_not_written(tmp_path):
    run = db.compile(experiment(within), "reference")
    assert "within" in run.fit(X, Y, 4, 1, verbose=0).history
    with pytest.raises(SpecError, match=r"within: .* cannot be written.*Write @db.metric"):
        run.experiment.to_json()
    with pytest.raises(SpecError, match=r"Write @db\.metric above its def"):
        run.save(tmp_path / "run.safetensors")
    with pytest.raises(SpecError, match="cannot be written"):
        run.fit(X, Y, 4, 1, verbose=0, callbacks=[db.Checkpoint(tmp_path / "run.safetensors")])
    assert run.position.epoch == 1


def _numpy(y_true, y_pred):
    return np.abs(y_true - y_pred)


def _numpy_mean(y_true, y_pred):
    return np.mean(y_true - y_pred)


def _branch(y_true, y_pred):
    return y_true if y_true > y_pred else y_pred


def _constant(y_true, y_pred):
    return 1.0


def _over_batch(y_true, y_pred):
    return db.ops.reduce_mean(y_true - y_pred, (0, 1))


def _root(y_true, y_pred):
    return (y_true - y_pred) ** 0.5


def _at_least(y_true, y_pred):
    return y_true >= y_pred


def _one_argument(y_true):
    return y_true


REFUSED = {
    _numpy: r"_numpy: the function cannot be computed \(TypeError.*It may use \+ - ",
    _numpy_mean: "NumPy cannot compute with a symbolic value.*functions of db.ops",
    _branch: "no truth value.*ops.where",
    _constant: "must return what it computes from its arguments, got 1.0",
    _over_batch: "must return one number per example.*Do not reduce axis 0",
    _root: "must be a whole number from 1 to 16, got 0.5. Use ops.sqrt",
    _at_least: "cannot be computed.*>=.*It may use",
    _one_argument: "cannot be computed.*takes 1 positional argument",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_a_function_may_not_do_is_said(function):
    with pytest.raises(DnnbridgeError, match=REFUSED[function]):
        experiment(function)


def test_names():
    with pytest.raises(SpecError, match=r"a function needs a name.*name="):
        experiment(lambda y, p: y - p)
    named = experiment(db.FunctionMetric(lambda y, p: y - p, name="shift"))
    assert named.metrics[0].label == "shift"

    def accuracy(y_true, y_pred):
        return y_true

    with pytest.raises(SpecError, match="a metric or a loss has this name, got accuracy"):
        db.metric(accuracy)

    def other(y_true, y_pred):
        return y_true

    other.__name__ = "mean_error_of_test"
    with pytest.raises(SpecError, match="has this name, got mean_error_of_test"):
        db.metric(other)
    assert db.metric(mean_error_of_test) is mean_error_of_test
