"""`diagnose.gradients` and `diagnose.update_ratio`: against NumPy, and planted faults named."""

import importlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError
from dnnbridge.training.probing import gradients_of

nets = importlib.import_module("diagnose.nets")
LABELS, REAL, X, classifier, deep, kept, net, same = (
    nets.LABELS,
    nets.REAL,
    nets.X,
    nets.classifier,
    nets.deep,
    nets.kept,
    nets.net,
    nets.same,
)


def gradients(experiment, y=REAL, **more):
    return db.diagnose.gradients(experiment, X, y, backend="reference", **more)


def test_norms_are_those_of_numpy_before_and_after_each_step():
    experiment = classifier(db.Dense(5, "tanh", name="h"), optimizer=db.SGD(0.5))
    found = gradients(experiment, LABELS, steps=2, batch_size=120)
    run, wanted, sizes = db.compile(experiment, "reference"), [], []
    for _ in range(3):
        made = gradients_of(run, X, LABELS)
        flat = [
            np.concatenate([made[f"{layer}/{part}"].ravel() for part in ("kernel", "bias")])
            for layer in ("h", "last")
        ]
        wanted.append([np.linalg.norm(each) for each in flat])
        sizes.append([np.sqrt(np.mean(each**2)) for each in flat])
        run.fit(X, LABELS, 120, verbose=0)
    assert (found.layers, found.steps) == (("h", "last"), (0, 1, 2))
    np.testing.assert_allclose(found.norms, wanted, rtol=1e-12)
    np.testing.assert_allclose(found.rms, sizes, rtol=1e-12)
    ratio = np.median([row[0] / row[1] for row in sizes])
    assert found.ratios["h"] == pytest.approx(ratio)


def test_a_stack_of_sigmoids_vanishes():
    found = gradients(deep("sigmoid", "glorot_uniform"), steps=3)
    assert not found.ok
    assert found.vanishing[0] == "dense"
    assert "Gradients vanish in dense, dense_1" in found.verdict


def test_large_weights_explode():
    found = gradients(deep("linear", db.RandomNormal(stddev=1.0)), steps=0)
    assert not found.ok
    assert found.exploding == found.layers
    assert "explode in dense, dense_1" in found.verdict
    grown = gradients(net(db.Dense(1), optimizer=db.SGD(3.0)), steps=12)
    assert grown.exploding == ("dense",)
    assert "explode" in grown.verdict


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_good_start_is_healthy(activation):
    start = db.HeNormal() if activation == "relu" else db.GlorotNormal()
    found = gradients(deep(activation, start), steps=3)
    assert found.ok
    assert "reach every layer" in found.verdict


def test_infinite_gradients_are_named():
    with np.errstate(all="ignore"):
        found = gradients(net(db.Dense(1), optimizer=db.SGD(1e38)), steps=9)
    assert not found.ok
    assert "not finite from step" in found.verdict


def test_frozen_layers_are_left_out_and_all_frozen_is_an_error():
    assert gradients(net(db.Dense(4), db.Dense(1), frozen=["dense/*"]), steps=0).layers == (
        "dense_1",
    )
    for diagnosis in (db.diagnose.gradients, db.diagnose.update_ratio):
        with pytest.raises(DataError, match="trains no weight"):
            diagnosis(net(db.Dense(1), frozen=["*"]), X, REAL, backend="reference")


def test_ratios_of_updates_are_those_of_numpy():
    experiment = net(db.Dense(4, "tanh"), db.Dense(1), optimizer=db.Adam(0.01))
    found = db.diagnose.update_ratio(
        experiment, X, REAL, steps=5, batch_size=60, backend="reference"
    )
    run, seen = db.compile(experiment, "reference"), []

    class Note(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            seen.append(run.parameters())

    before = run.parameters()
    run.fit(X, REAL, 60, epochs=3, verbose=0, callbacks=[Note()])
    for ratios, after in zip(found.ratios, seen, strict=False):
        for ratio, layer in zip(ratios, ("dense", "dense_1"), strict=True):
            names = [f"{layer}/kernel", f"{layer}/bias"]
            old = np.concatenate([before[name].ravel() for name in names])
            new = np.concatenate([after[name].ravel() for name in names])
            assert ratio == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old))
        before = after
    assert (len(found.losses), found.learning_rate) == (5, 0.01)


def test_a_copy_goes_on_with_the_slots_and_the_step_of_the_run():
    experiment = net(db.Dense(4, "tanh"), db.Dense(1), optimizer=db.Adam(0.01))
    run = db.compile(experiment, "reference")
    run.fit(X, REAL, 120, epochs=3, verbose=0)
    found = db.diagnose.update_ratio(run, X, REAL, steps=1, batch_size=120)
    before = run.parameters()
    run.fit(X, REAL, 120, verbose=0)
    moved = run.parameters()["dense/kernel"] - before["dense/kernel"]
    bias = run.parameters()["dense/bias"] - before["dense/bias"]
    old = np.hypot(np.linalg.norm(before["dense/kernel"]), np.linalg.norm(before["dense/bias"]))
    new = np.hypot(np.linalg.norm(moved), np.linalg.norm(bias))
    assert found.ratios[0, 0] == pytest.approx(new / old, rel=1e-9)


@pytest.mark.parametrize(
    ("rate", "names", "word"),
    [(1e-7, "slow", "too small"), (1e-3, "", "near the usual"), (1.0, "fast", "too large")],
)
def test_the_rate_is_judged(rate, names, word):
    experiment = net(db.Dense(32, "tanh"), db.Dense(1), optimizer=db.Adam(rate))
    found = db.diagnose.update_ratio(experiment, X, REAL, steps=10, backend="reference")
    assert found.ok == (not names)
    assert word in found.verdict
    assert bool(found.slow) == (names == "slow")
    assert bool(found.fast) == (names == "fast")


def test_unreached_weights_are_named():
    dead = db.Dense(8, "relu", bias_initializer=db.Constant(-100.0), name="broken")
    found = db.diagnose.update_ratio(net(dead, db.Dense(1)), X, REAL, steps=3, backend="reference")
    assert "The weights of broken do not move at all" in found.verdict


@pytest.mark.parametrize("name", ["gradients", "update_ratio"])
def test_a_run_stays_as_it_is(name):
    run = db.compile(classifier(db.Dense(4), db.BatchNormalization()), "reference")
    run.fit(X, LABELS, epochs=2, verbose=0)
    before = kept(run)
    found = getattr(db.diagnose, name)(run, X, LABELS, steps=3)
    assert same(before, kept(run))
    assert "<svg" in found._repr_html_()
    with pytest.raises(DataError):
        getattr(db.diagnose, name)(run, X[:5], LABELS[:4], steps=3)
    assert same(before, kept(run))
