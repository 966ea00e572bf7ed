"""Averages of weights have the right numbers and can replace the weights, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, SpecError
from dnnbridge.testing.assertions import assert_near

rng = np.random.default_rng(0)
X = rng.normal(size=(24, 3)).astype("float32")
Y = rng.normal(size=(24, 2)).astype("float32")
SGD = db.SGD(0.1, momentum=0.9)


def compiled(optimizer, backend="reference", **changes):
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dense(2)])
    experiment = db.Experiment(model, db.MeanSquaredError(), optimizer, **changes)
    return db.compile(experiment, backend)


def weights_of_every_step(optimizer=SGD):
    """Return the weights after each of the nine steps of three epochs."""
    run, found = compiled(optimizer), []

    class Keep(db.Callback):
        def on_steps_end(self, run, losses):
            found.append(run.parameters())

    run.fit(X, Y, 8, 3, callbacks=[Keep()], steps_per_call=1)
    return found


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_an_average_is_kept_and_swapped_in(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    expected = weights_of_every_step()
    run = compiled(db.StochasticWeightAverage(SGD, 3, every=2), backend)
    run.fit(X, Y, 8, 3)
    for name, last in expected[-1].items():
        assert_near(run.parameters()[name], last, 1e-6, name)
    averages = run.averages()
    assert list(averages) == list(run.parameters())
    for name in averages:
        mean = np.mean([expected[step][name] for step in (3, 5, 7)], 0)
        assert_near(averages[name], mean, 1e-6, name)
    before = run.predict(X)
    run.set_parameters(averages)
    assert np.abs(run.predict(X) - before).max() > 1e-3
    for name, array in run.parameters().items():
        np.testing.assert_array_equal(array, averages[name])


def test_a_moving_average_starts_at_the_first_weights_and_may_replace_them():
    steps, expected = weights_of_every_step(), None
    for weights in steps:
        a = weights["dense/kernel"]
        expected = a if expected is None else 0.8 * expected + 0.2 * a
    run = compiled(db.ExponentialMovingAverage(SGD, 0.8))
    run.fit(X, Y, 8, 3)
    assert_near(run.averages()["dense/kernel"], expected, 1e-14, "average")
    replaced = compiled(db.ExponentialMovingAverage(SGD, 0.8, overwrite_every=9))
    replaced.fit(X, Y, 8, 3)
    assert_near(replaced.parameters()["dense/kernel"], expected, 1e-14, "overwritten")


def test_a_resumed_run_has_the_same_average(tmp_path):
    optimizer = db.Lookahead(db.ExponentialMovingAverage(SGD, 0.8), steps=4)
    whole, begun = compiled(optimizer), compiled(optimizer)
    whole.fit(X, Y, 8, 3)
    begun.fit(X, Y, 8, 1)
    begun.save(tmp_path / "run.safetensors")
    resumed = db.load(tmp_path / "run.safetensors", "reference")
    resumed.fit(X, Y, 8, 2)
    for name, array in whole.averages().items():
        assert_near(resumed.averages()[name], array, 1e-6, name)


def test_lookahead_passes_the_average_on_and_frozen_weights_have_none():
    swa = db.StochasticWeightAverage(SGD, 0)
    run = compiled(db.Lookahead(swa), frozen=("dense/*",))
    run.fit(X, Y, 8, 1)
    assert list(run.averages()) == ["dense_1/kernel", "dense_1/bias"]
    run.set_parameters(run.averages())


def test_no_average_is_an_error():
    for optimizer in (SGD, db.Lookahead(SGD)):
        with pytest.raises(DataError, match="keeps no average"):
            compiled(optimizer).averages()


def test_wrappers_of_one_kind_exclude_each_other():
    with pytest.raises(SpecError, match=":average: two optimizer arrays have the same name"):
        compiled(db.ExponentialMovingAverage(db.StochasticWeightAverage(SGD, 0)))
    with pytest.raises(SpecError, match=":slow: two optimizer arrays have the same name"):
        compiled(db.Lookahead(db.Lookahead(SGD)))


def test_wrappers_round_trip():
    one = db.Lookahead(db.ExponentialMovingAverage(db.Adam(0.1), 0.9, 2, 5), 4, 0.7)
    assert db.Spec.from_json(one.to_json()) == one
