"""Results of models inside a model as outputs: Keras counts their calls from 1."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db

keras = pytest.importorskip("keras")
layers = keras.layers

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize("calls", [1, 2])
def test_an_output_of_an_inner_model_is_read_and_written(calls):
    given = keras.Input((4,))
    inner = keras.Model(given, layers.Dense(4, "tanh")(given), name="inner")
    x = keras.Input((4,))
    made = [inner(x)]
    if calls == 2:
        made.append(inner(layers.Dense(4)(made[0])))
    model = keras.Model(x, made if calls == 2 else made[0])
    model.compile("sgd", "mse" if calls == 1 else ["mse", "mse"])
    run = db.from_keras(model).compile("reference")
    theirs = model.predict(X, verbose=0)
    theirs = theirs if calls == 2 else [theirs]
    for ours in (run.predict(X), db.to_keras(run).predict(X, verbose=0)):
        ours = list(ours.values()) if isinstance(ours, dict) else ours
        for a, b in zip(ours if calls == 2 else [ours], theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
