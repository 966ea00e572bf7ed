"""Weights that are replaced before each training step."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ShapeError

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
OPTIMIZERS = {
    "sgd": db.SGD(0.1, momentum=0.9),
    "adamw": db.AdamW(0.05, weight_decay=0.1),
    "accumulated": db.GradientAccumulation(db.SGD(0.1), 2),
    "averaged": db.ExponentialMovingAverage(db.Adam(0.05)),
}
LONG = [
    each if each == "sgd" else pytest.param(each, marks=pytest.mark.slow) for each in OPTIMIZERS
]


def run_of(backend="reference", optimizer="sgd", **fields):
    layer = db.SpectralNormalization(db.Dense(3, kernel_regularizer="l2"), name="sn")
    model = db.Sequential([db.Input((4,)), layer])
    return db.compile(db.Experiment(model, "mse", optimizer, **fields), backend)


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
@pytest.mark.parametrize("name", LONG)
def test_each_optimizer_starts_from_the_new_weights(backend, name):
    pytest.importorskip(backend)
    runs = [run_of(each, OPTIMIZERS[name]) for each in ("reference", backend)]
    for run in runs:
        run.fit(X, Y, batch_size=2, epochs=2, shuffle=False)
    for key, array in runs[0].state().items():
        np.testing.assert_allclose(runs[1].state()[key], array, rtol=2e-5, atol=2e-6, err_msg=key)


def test_a_step_starts_from_the_kernel_over_its_largest_singular_value():
    run = run_of(optimizer=db.SGD(1e-30))
    for _ in range(40):  # each step continues the power iteration
        run.fit(X, Y, batch_size=6)
    kernel = run.state()["sn/layer/kernel"]
    assert np.linalg.svd(kernel)[1][0] == pytest.approx(1.0, abs=1e-5)


def test_frozen_weights_stay():
    run = run_of(frozen=("sn/*",))
    before = run.state()
    run.fit(X, Y, batch_size=2)
    for name in ("sn/layer/kernel", "sn/vector_u"):
        np.testing.assert_array_equal(run.state()[name], before[name])


def test_a_kernel_of_zeros_stays():
    layer = db.SpectralNormalization(db.Dense(3, kernel_initializer="zeros"))
    model = db.Sequential([db.Input((4,)), layer])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    assert np.isfinite(run.fit(X, Y, batch_size=6, epochs=2).history["loss"]).all()


def test_a_layer_without_a_kernel_is_refused():
    layers = [db.Input((4, 2)), db.SpectralNormalization(db.Flatten())]
    with pytest.raises(ShapeError, match="needs a layer with a kernel or with embeddings"):
        db.Sequential(layers)
