"""Layers that models of `keras.applications` define themselves."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")


def test_a_block_of_inception_resnet_is_read(tmp_path):
    keras.utils.set_random_seed(0)
    whole = keras.applications.InceptionResNetV2(
        weights=None, include_top=False, input_shape=(75, 75, 3)
    )
    start, end = whole.get_layer("mixed_5b").output, whole.get_layer("block35_2_ac").output
    model = keras.Model(start, end)
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, *start.shape[1:])).astype("float32")
    wanted = model.predict(x, verbose=0)
    found = (
        db.from_keras(tmp_path / "model.keras")
        .replace(loss="mse", optimizer="sgd")
        .compile("reference")
    )
    np.testing.assert_allclose(found.predict(x), wanted, atol=1e-6 * np.abs(wanted).max())


@keras.saving.register_keras_serializable("mine")
class CustomScaleLayer(keras.layers.Layer):
    """Has the name of a layer of InceptionResNetV2 and computes something else."""

    scale = 2.0

    def call(self, x, y):
        return x - self.scale * y


def test_a_class_of_the_user_with_the_same_name_is_refused():
    x = keras.Input((3,))
    model = keras.Model(x, CustomScaleLayer(name="mine")(x, x))
    with pytest.raises(ConversionError, match="mine: the layer mine>CustomScaleLayer"):
        db.from_keras(model)
