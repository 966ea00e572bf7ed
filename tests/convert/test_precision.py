"""Models of Keras in mixed precision, read from a file."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError

keras = pytest.importorskip("keras")


def native(policy="mixed_float16", head="float32"):
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, "relu", dtype=policy),
            keras.layers.BatchNormalization(dtype=policy),
            keras.layers.Dense(3, "softmax", dtype=head, name="head"),
        ]
    )


def saved(model, path):
    model.save(path / "model.keras")
    return db.from_keras(path / "model.keras")


@pytest.mark.parametrize(
    ("policy", "precision"),
    {
        "mixed_float16": db.MixedFloat16(("head",)),
        "mixed_bfloat16": db.MixedBFloat16(("head",)),
        "float32": db.Float32(),
    }.items(),
)
def test_policies_of_layers_are_a_precision(policy, precision, tmp_path):
    model = native(policy)
    model.compile("adam", "sparse_categorical_crossentropy")
    made = saved(model, tmp_path).compile("reference")
    assert made.experiment.precision == precision
    x = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    theirs = np.asarray(keras.ops.cast(model(x), "float32"))
    grain = {"float32": 1e-6, "mixed_float16": 2e-3, "mixed_bfloat16": 2e-2}[policy]
    np.testing.assert_allclose(made.predict(x), theirs, atol=grain)


def test_the_optimizer_of_a_loss_scale_is_read(tmp_path):
    model = native()
    inner = keras.optimizers.SGD(0.25)
    scaled = keras.optimizers.LossScaleOptimizer(inner, 64.0, dynamic_growth_steps=5)
    model.compile(scaled, "sparse_categorical_crossentropy")
    model.fit(np.zeros((4, 6)), np.zeros(4), verbose=0)
    made = saved(model, tmp_path)
    assert made.experiment.loss_scale == db.DynamicLossScale(64.0, growth_steps=5)
    assert made.experiment.optimizer.learning_rate == db.SGD(0.25).learning_rate
    assert "its scale and step start anew" in str(made.report)
    made.compile("reference").fit(np.zeros((4, 6)), np.zeros(4, int), verbose=0)


def test_a_model_in_float64_goes_on_in_float64(tmp_path):
    model = native("float64", "float64")
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 6)).astype(np.float32), rng.integers(0, 3, 24)
    options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    model.fit(x, y, **options)
    run = saved(model, tmp_path).compile("reference")
    assert run.experiment.precision == db.Float64()
    np.testing.assert_allclose(run.predict(x), model.predict(x, verbose=0), rtol=1e-12)
    run.fit(x, y, **options)
    model.fit(x, y, **options)
    np.testing.assert_allclose(run.predict(x), model.predict(x, verbose=0), rtol=1e-6)


def test_float64_beside_float32_is_refused(tmp_path):
    with pytest.raises(ConversionError, match="layers with float32 and with float64"):
        saved(native("float64", "float32"), tmp_path)


def test_two_lower_types_are_refused(tmp_path):
    with pytest.raises(ConversionError, match="mixed_bfloat16 and with mixed_float16"):
        saved(native("mixed_float16", "mixed_bfloat16"), tmp_path)
