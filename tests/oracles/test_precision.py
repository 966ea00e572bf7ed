"""Keras itself in mixed precision predicts the same within the roundings of the type."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.ops.rounding import DIGITS

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_predictions_are_those_of_keras(dtype):
    rng = np.random.default_rng(0)
    model = db.Sequential([db.Input((20,)), db.Dense(32, "relu"), db.Dense(4)])
    run = db.compile(db.Experiment(model, "mse", "sgd", precision=f"mixed_{dtype}"), "reference")
    plain = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    plain.set_state(plain.state() | run.parameters(), plain.position)

    policy = keras.mixed_precision.DTypePolicy(f"mixed_{dtype}")
    layers = [
        keras.layers.Dense(32, "relu", dtype=policy),
        keras.layers.Dense(4, dtype=policy),
    ]
    native = keras.Sequential([keras.Input((20,)), *layers])
    native.set_weights([np.float32(array) for array in run.parameters().values()])

    x = rng.normal(size=(50, 20)).astype(np.float32)
    theirs = np.asarray(keras.ops.cast(native(x), "float32"), np.float64)
    ours, exact = run.predict(x), plain.predict(x)
    unit = DIGITS[dtype].spacing * np.abs(exact).max()
    assert np.abs(ours - theirs).max() <= 2 * unit
    assert (ours == theirs).mean() > 0.9
    assert np.abs(theirs - exact).max() > 0.1 * unit  # Keras rounds too
