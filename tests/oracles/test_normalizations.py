"""Independent witnesses: normalisations of each example by both frameworks' own classes."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base import randomness
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

X = randomness.generator(0, "normalizations").normal(0.5, 2.0, (3, 5, 4, 6)).astype(np.float32)


def evaluated(layer, x):
    """Return value, weights and derivatives of the sum of value · weights, by name."""
    built = equation(
        lambda scope, v: scope.call(layer, v), [TensorType((BATCH, *x.shape[1:]))], [x]
    )
    return built.feeds, built.run(load_backend("reference"))


KERAS = {
    "layer": (db.LayerNormalization(), "LayerNormalization", {}),
    "layer-two": (db.LayerNormalization((1, 3)), "LayerNormalization", {"axis": [1, 3]}),
    "group": (db.GroupNormalization(3), "GroupNormalization", {"groups": 3}),
    "group-axis": (
        db.GroupNormalization(2, axis=2),
        "GroupNormalization",
        {"groups": 2, "axis": 2},
    ),
    "instance": (db.InstanceNorm(), "GroupNormalization", {"groups": -1}),
    "rms": (db.RMSNormalization(), "RMSNormalization", {}),
}


@witness("Keras")
@pytest.mark.parametrize(("layer", "name", "options"), KERAS.values(), ids=KERAS)
def test_normalizations_equal_keras(layer, name, options):
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    feeds, found = evaluated(layer, X)
    native = getattr(keras.layers, name)(**options)
    native.build(X.shape)
    weights = {"gamma": "gamma", "beta": "beta", "scale": "scale"}
    known = {ours: getattr(native, theirs) for ours, theirs in weights.items() if ours in feeds}
    for ours, variable in known.items():
        variable.assign(feeds[ours].reshape(variable.shape))
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = native(x)
        total = tf.reduce_sum(y * feeds["weights"])
    assert_close(y.numpy(), found["value"], 5e-6, name)
    dx, *gradients = tape.gradient(total, [x, *(v.value for v in known.values())])
    assert_close(dx.numpy(), found["d/input_0"], 1e-5, "d/x")
    for ours, gradient in zip(known, gradients, strict=True):
        theirs = gradient.numpy().reshape(feeds[ours].shape)
        assert_close(theirs, found[f"d/{ours}"], 1e-5, ours)


MINDSPORE = {
    "layer": (db.LayerNormalization.mindspore(), lambda nn: nn.LayerNorm((6,)), False),
    "group": (db.GroupNormalization.mindspore(3), lambda nn: nn.GroupNorm(3, 6), True),
}


@pytest.mark.parametrize(("layer", "make", "first"), MINDSPORE.values(), ids=MINDSPORE)
def test_normalizations_equal_mindspore(layer, make, first):
    ms = pytest.importorskip("mindspore")
    feeds, found = evaluated(layer, X)
    native = make(ms.nn)
    for name in ("gamma", "beta"):
        ms.ops.assign(getattr(native, name), ms.Tensor(feeds[name]))
    x = np.ascontiguousarray(np.moveaxis(X, -1, 1)) if first else X
    theirs = native(ms.Tensor(x)).asnumpy()
    theirs = np.moveaxis(theirs, 1, -1) if first else theirs
    assert_close(theirs, found["value"], 5e-6, "value")
