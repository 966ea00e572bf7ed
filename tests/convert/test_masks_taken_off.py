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


def check_as_in_keras(function):
    """Compare predictions and loss of a model of masked words."""
    keras.utils.set_random_seed(0)
    x = keras.Input((7,), dtype="int32")
    model = keras.Model(x, function(layers.Embedding(11, 8, mask_zero=True)(x)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    run = db.from_keras(model).compile("reference")
    np.testing.assert_allclose(run.predict(WORDS), model.predict(WORDS, verbose=0), atol=1e-6)
    assert run.evaluate(WORDS, Y)["loss"] == pytest.approx(
        model.evaluate(WORDS, Y, verbose=0), rel=1e-6
    )


@pytest.mark.parametrize("name", THEIRS)
def test_masks_are_found_where_keras_finds_them(name):
    check_as_in_keras(THEIRS[name])


def our_attended(x):
    return db.Add()(x, db.MultiHeadAttention(2, 4)(x, x))


OURS = {
    "one": our_attended,
    "two": lambda x: our_attended(our_attended(x)),
    "gated": lambda x: db.Multiply()(x, db.MultiHeadAttention(2, 4)(x, x)),
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


def inside(function, *outputs):
    """Return a function that calls a model of its own."""
    x = keras.Input((7, 8))
    return keras.Model(x, [function(x), *(make(x) for make in outputs)] if outputs else function(x))


def pooled(x):
    return layers.RepeatVector(7)(layers.GlobalAveragePooling1D()(x))


def lstm(x):
    return layers.LSTM(8, return_sequences=True)(x)


def with_mean(x):
    """The mean inside the model has no mask any more."""
    seen, mean = inside(attended, lambda x: layers.GlobalAveragePooling1D()(x))(x)
    return layers.Add()([seen, layers.RepeatVector(7)(mean)])


def twice(x):
    block = inside(attended)
    return block(block(layers.Dense(8)(x)))


INSIDE = {
    "one": lambda x: inside(attended)(x),
    "two": lambda x: inside(lambda x: attended(attended(x)))(x),
    "pooled": lambda x: pooled(inside(attended)(x)),
    "lstm": lambda x: inside(lambda x: lstm(attended(x)))(x),
    "normalised-first": lambda x: pooled(
        inside(lambda x: layers.Add()([x, attended(layers.LayerNormalization()(x))]))(x)
    ),
    "below": lambda x: pooled(inside(inside(attended))(x)),
    "chain": lambda x: pooled(inside(attended)(inside(attended)(x))),
    "sequential": lambda x: keras.Sequential([keras.Input((7, 8)), inside(attended)])(x),
    "beside": lambda x: layers.Add()([inside(attended)(x), lstm(x)]),
    "before": lambda x: layers.Add()([lstm(x), inside(lambda x: lstm(attended(x)))(x)]),
    "with-mean": with_mean,
    "twice": twice,
}


@pytest.mark.parametrize("name", INSIDE)
def test_masks_are_found_in_models_inside_a_model(name):
    check_as_in_keras(INSIDE[name])


def test_masks_are_found_in_models_inside_a_sequential():
    keras.utils.set_random_seed(0)
    words = [keras.Input((7,), dtype="int32"), layers.Embedding(11, 8, mask_zero=True)]
    blocks = [inside(attended), inside(lambda x: lstm(attended(x)))]
    model = keras.Sequential([*words, *blocks, layers.GlobalAveragePooling1D()])
    run = db.from_keras(model).replace(loss="mse", optimizer="sgd").compile("reference")
    np.testing.assert_allclose(run.predict(WORDS), model.predict(WORDS, verbose=0), atol=1e-6)


def test_a_model_called_with_and_without_masks_is_refused():
    x = keras.Input((7,), dtype="int32")
    block = inside(attended)
    words = layers.Embedding(11, 8)
    masked = layers.Embedding(11, 8, mask_zero=True)
    model = keras.Model(x, layers.Add()([block(words(x)), block(masked(x))]))
    with pytest.raises(ConversionError, match="called on values with and without a mask"):
        db.from_keras(model)
