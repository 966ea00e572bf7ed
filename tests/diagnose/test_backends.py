"""Diagnoses on both frameworks give the numbers of the reference."""

import importlib

import numpy as np
import pytest

import dnnbridge as db

nets = importlib.import_module("diagnose.nets")
LABELS, X, classifier, kept, same = nets.LABELS, nets.X, nets.classifier, nets.kept, nets.same

BACKENDS = ["tensorflow", "mindspore"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_are_those_of_the_reference(backend):
    pytest.importorskip(backend)
    layers = db.BatchNormalization(), db.Dense(8, "tanh"), db.Dropout(0.2)
    runs = {name: db.compile(classifier(*layers), name) for name in (backend, "reference")}
    for run in runs.values():
        run.fit(X, LABELS, 120, verbose=0)
    run, reference = runs.values()
    before = kept(run)
    found, wanted = (db.diagnose.activations(each, X) for each in (run, reference))
    for layer, known in zip(found.layers, wanted.layers, strict=True):
        numbers = [layer.mean, layer.std, layer.least, layer.largest]
        np.testing.assert_allclose(
            numbers, [known.mean, known.std, known.least, known.largest], atol=1e-6
        )
        assert layer.counts.sum() == known.counts.sum()
    more = {"steps": 3, "batch_size": 60}
    found, wanted = (db.diagnose.gradients(each, X, LABELS, **more) for each in (run, reference))
    np.testing.assert_allclose(found.norms, wanted.norms, atol=1e-6)
    found, wanted = (db.diagnose.update_ratio(each, X, LABELS, **more) for each in (run, reference))
    np.testing.assert_allclose(found.ratios, wanted.ratios, rtol=1e-3, atol=1e-6)
    found, wanted = (db.diagnose.initial_loss(each, X, LABELS) for each in (run, reference))
    assert found.loss == pytest.approx(wanted.loss, abs=1e-6)
    assert same(before, kept(run))


@pytest.mark.parametrize("backend", BACKENDS)
def test_trainings_are_those_of_the_reference(backend):
    pytest.importorskip(backend)
    experiment, rates = classifier(optimizer="sgd"), [1e-3, 1e-1]
    found, wanted = (
        db.diagnose.compare_rates(experiment, X, LABELS, rates, epochs=1, backend=name)
        for name in (backend, "reference")
    )
    for rate, history in wanted.histories.items():
        np.testing.assert_allclose(
            found.histories[rate].step_losses, history.step_losses, atol=1e-5
        )
    assert found.best == 1e-1
