"""Keras' MultiHeadAttention takes the masks off its inputs: what runs after it finds none there."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError

keras = pytest.importorskip("keras")
layers = keras.layers

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")

WORDS = np.array([[9, 3, 2, 3, 5, 0, 0], [1, 4, 0, 0, 0, 0, 0], [9, 1, 6, 3, 3, 2, 1]], "int32")
Y = np.random.default_rng(0).normal(size=(3, 7, 8)).astype("float32")


def attended(x):
    return layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)])


THEIRS = {
    "one": attended,
    "two": lambda x: attended(attended(x)),
    "normalised-first": lambda x: attended(layers.LayerNormalization()(x)),
    "side-by-side": lambda x: layers.Add()(
        [layers.MultiHeadAttention(2, 4)(x, x), layers.MultiHeadAttention(2, 4)(x, x)]
    ),
    "gated": lambda x: layers.Multiply()([x, layers.MultiHeadAttention(2, 4)(x, x)]),
    "largest": lambda x: layers.Maximum()([layers.LayerNormalization()(x), attended(x)]),
    "mean-afterwards": lambda x: layers.RepeatVector(7)(
        layers.GlobalAveragePooling1D()(attended(attended(x)))
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_masks_are_found_where_keras_finds_them(name):
    keras.utils.set_random_seed(0)
    x = keras.Input((7,), dtype="int32")
    model = keras.Model(x, THEIRS[name](layers.Embedding(11, 8, mask_zero=True)(x)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    run = db.from_keras(model).compile("reference")
    np.testing.assert_allclose(run.predict(WORDS), model.predict(WORDS, verbose=0), atol=1e-6)
    assert run.evaluate(WORDS, Y)["loss"] == pytest.approx(
        model.evaluate(WORDS, Y, verbose=0), rel=1e-6
    )


def our_attended(x):
    return db.Add()(x, db.MultiHeadAttention(2, 4)(x, x))


OURS = {
    "one": our_attended,
    "two": lambda x: our_attended(our_attended(x)),
    "side-by-side": lambda x: db.Add()(
        x, db.MultiHeadAttention(2, 4)(x, x), db.MultiHeadAttention(2, 4)(x, x)
    ),
}


@pytest.mark.parametrize("name", OURS)
def test_written_models_keep_their_masks_in_keras(name):
    x = db.Input((7,), "int32")
    model = db.Model(x, OURS[name](db.Embedding(11, 8, mask_zero=True)(x)))
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    written = db.to_keras(run)
    np.testing.assert_allclose(written.predict(WORDS, verbose=0), run.predict(WORDS), atol=1e-6)
    loss = run.evaluate(WORDS, Y)["loss"]
    assert written.evaluate(WORDS, Y, verbose=0) == pytest.approx(loss, rel=1e-6)
    again = db.from_keras(written).compile("reference")
    assert again.evaluate(WORDS, Y)["loss"] == loss


def test_an_attention_in_a_model_of_its_own_is_refused_where_its_input_has_a_mask():
    inner = keras.Input((7, 8))
    block = keras.Model(inner, attended(inner), name="block")
    x = keras.Input((7,), dtype="int32")
    model = keras.Model(x, block(layers.Embedding(11, 8, mask_zero=True)(x)))
    with pytest.raises(ConversionError, match="block: a model with a MultiHeadAttention"):
        db.from_keras(model)
