"""Independent witnesses: batch normalisation of both frameworks, step by step, with a short batch.

The running statistics are compared too: Keras feeds them the biased variance, MindSpore the
unbiased one.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.base import randomness
from dnnbridge.testing.assertions import assert_close

RATE, BATCH = 0.5, 4
NAMES = ("gamma", "beta", "moving_mean", "moving_variance")


class States(db.Callback):
    """Keeps the arrays after every step."""

    def __init__(self):
        self.seen = []

    def on_steps_end(self, run, losses):
        self.seen.append({name.split("/")[-1]: array for name, array in run.state().items()})


def data(*shape):
    rng = randomness.generator(0, "batch norm", *shape)
    x = rng.normal(0.3, 2.0, shape).astype(np.float32)
    return x, np.cos(x)


def ours(layer, x, y):
    """Train two epochs; 10 examples in batches of 4 leave a short one."""
    model = db.Sequential([db.Input(x.shape[1:]), layer])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(RATE)), "reference")
    states = States()
    run.fit(x, y, BATCH, 2, shuffle=False, callbacks=[states], steps_per_call=1)
    return states.seen, run.predict(x)


def batches(x, y):
    return [(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(x), BATCH)] * 2


def compare(found, states, prediction, theirs):
    assert len(found) == len(states) == 6
    for step, (actual, expected) in enumerate(zip(found, states, strict=True)):
        for name in NAMES:
            assert_close(actual[name], expected[name], 5e-6, f"step {step} {name}")
    assert_close(theirs, prediction, 5e-6, "prediction")


@witness("Keras", db.BatchNormalization)
@pytest.mark.parametrize("shape", [(10, 3), (10, 4, 5, 3)], ids=str)
def test_batch_norm_equals_keras(shape):
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    x, y = data(*shape)
    native, found = keras.layers.BatchNormalization(), []
    native.build(x.shape)
    for inputs, targets in batches(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((native(inputs, training=True) - targets) ** 2)
        weights = native.trainable_variables
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(RATE * gradient)
        found.append({name: np.array(getattr(native, name)) for name in NAMES})
    compare(found, *ours(db.BatchNormalization(), x, y), np.asarray(native(x, training=False)))


@witness("MindSpore", db.BatchNormalization)
@pytest.mark.parametrize(("shape", "kind"), [((10, 3), "1d"), ((10, 4, 5, 3), "2d")])
def test_batch_norm_equals_mindspore(shape, kind):
    ms = pytest.importorskip("mindspore")
    x, y = data(*shape)
    native, found = getattr(ms.nn, f"BatchNorm{kind}")(shape[-1]), []
    native.set_train()

    def first(array):
        return ms.Tensor(np.ascontiguousarray(np.moveaxis(array, -1, 1)))

    def loss(inputs, targets):
        return ms.ops.mean((native(inputs) - targets) ** 2)

    gradient = ms.value_and_grad(loss, None, native.trainable_params())
    for inputs, targets in batches(x, y):
        _, gradients = gradient(first(inputs), first(targets))
        for weight, slope in zip(native.trainable_params(), gradients, strict=True):
            ms.ops.assign(weight, weight - RATE * slope)
        found.append({name: getattr(native, name).asnumpy().copy() for name in NAMES})
    prediction = np.moveaxis(native.set_train(False)(first(x)).asnumpy(), 1, -1)
    compare(found, *ours(db.BatchNormalization.mindspore(), x, y), prediction)


def test_a_shared_batch_norm_moves_at_each_call_as_in_keras():
    keras = pytest.importorskip("keras")
    x, _ = data(4, 3)
    native = keras.layers.BatchNormalization(momentum=0.5)
    native.build(x.shape)
    theirs = native(native(x, training=True) * 3.0 + 1.0, training=True)

    norm, given = db.BatchNormalization(momentum=0.5), db.Input((3,))
    affine = db.Dense(3, kernel_initializer=db.Identity(3.0), bias_initializer="ones")
    model = db.Model(given, norm(affine(norm(given))))
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(1e-30)), "reference")
    run.fit(x, np.asarray(theirs), 4, 1, shuffle=False)
    for name in ("moving_mean", "moving_variance"):
        ours = run.state()[f"batch_normalization/{name}"]
        assert_close(np.array(getattr(native, name)), ours, 2e-6, name)


def test_one_element_gives_beta_and_finite_statistics():
    x = np.array([[3.0, -2.0]], np.float32)
    states, _ = ours(db.BatchNormalization.mindspore(), x, 0.0 * x)
    for state in states:
        assert np.isfinite(list(state.values())).all()
    np.testing.assert_allclose(states[0]["moving_variance"], 0.9)
    np.testing.assert_allclose(states[0]["moving_mean"], 0.1 * x[0])
