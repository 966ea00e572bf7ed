"""Small models that use every layer that can be read; import it where Keras is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from convert import keras_models
from keras import Input, Model, Sequential, layers


class Small(NamedTuple):
    """A small model and how it is fed.

    Attributes:
        make: builds it.
        outputs: their sizes, for labels that are numbers; none for one output of four classes.
        words: whether its only input has words, of which 0 is padding.
    """

    make: Callable[[], Any]
    outputs: tuple[int, ...] = ()
    words: bool = False


def sequence(*more):
    rows = layers.Embedding(11, 6, mask_zero=True)
    return Sequential([Input((7,), dtype="int32"), rows, *more, layers.Dense(4)])


def masks():
    return sequence(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.Bidirectional(layers.GRU(3)),
    )


def transformer():
    words = Input((7,), dtype="int32")
    h = layers.Embedding(11, 8, mask_zero=True)(words)
    for _ in range(2):
        seen = layers.MultiHeadAttention(2, 4)(h, h)
        h = layers.LayerNormalization()(layers.Add()([h, seen]))
        wide = layers.Dense(8)(layers.Dense(16, "gelu")(h))
        h = layers.LayerNormalization()(layers.Add()([h, wide]))
    return Model(words, layers.Dense(4)(layers.GlobalAveragePooling1D()(h)))


def masking():
    x = Input((7, 3))
    h = layers.GRU(4, return_sequences=True)(layers.Masking()(x))
    return Model(x, layers.Dense(4)(layers.SimpleRNN(4)(h)))


def heads():
    """Two inputs and two outputs, of which one passes through a nested model."""
    image, numbers = Input((6, 6, 2), name="image"), Input((5,), name="numbers")
    trunk = Sequential([Input((6, 6, 2)), layers.Conv2D(3, 3), layers.GlobalMaxPooling2D()])
    h = layers.Concatenate()([trunk(image), layers.Dense(4, "tanh")(numbers)])
    first = layers.Dense(3, name="first")(h)
    return Model([image, numbers], [first, layers.Dense(2, name="second")(layers.ELU()(h))])


def sizes():
    """Padding, cropping and growth along one and three axes."""
    x = Input((6, 8))
    h = layers.Cropping1D(1)(layers.UpSampling1D(2)(layers.ZeroPadding1D(2)(x)))
    h = layers.Softmax()(layers.Permute((2, 1))(layers.AveragePooling1D(3)(h)))
    h = layers.Identity()(layers.Reshape((4, 3, 2, 2))(layers.Flatten()(h)[:, :48]))
    h = layers.UpSampling3D(2)(layers.ZeroPadding3D(1)(h))
    h = layers.MaxPooling3D(2)(layers.Cropping3D(1)(h))
    h = layers.Conv3D(3, 2)(h)
    return Model(x, layers.Dense(4)(layers.GlobalAveragePooling3D()(h)))


def noise():
    """All layers that draw, so it is not trained; the penalty of an output."""
    x = Input((6, 8))
    h = layers.SpatialDropout1D(0.1)(layers.GaussianNoise(0.1)(x))
    h = layers.AlphaDropout(0.1)(layers.GaussianDropout(0.1)(layers.Dense(8, "selu")(h)))
    h = layers.SpatialDropout2D(0.1)(layers.Reshape((4, 4, 3))(layers.Dense(8)(h)))
    h = layers.SpatialDropout3D(0.1)(layers.Reshape((2, 2, 4, 3))(h))
    h = layers.ActivityRegularization(0.01, 0.01)(layers.Flatten()(h))
    return Model(x, layers.Dense(4)(layers.Dropout(0.2)(h)))


SMALL = {
    **{name: Small(made) for name, made in keras_models.MODELS.items()},
    "masks": Small(masks, words=True),
    "transformer": Small(transformer, words=True),
    "masking": Small(masking),
    "heads": Small(heads, (3, 2)),
    "sizes": Small(sizes),
    "noise": Small(noise),
}


def build(name: str) -> Any:
    """Return a model whose weights are random numbers, also biases and statistics."""
    return keras_models.randomised(SMALL[name].make())


def inputs_of(name: str, model: Any, rows: int) -> list[Any]:
    """Return random inputs; words have padding at their end, other steps zeros."""
    draw = np.random.default_rng(2)
    if SMALL[name].words:
        words = draw.integers(1, 11, (rows, *model.input_shape[1:])).astype("int32")
        return [np.where(np.arange(words.shape[1]) < draw.integers(2, 8, (rows, 1)), words, 0)]
    given = keras_models.inputs_of(model, rows, 1)
    x = given if isinstance(given, list) else [given]
    if name == "masking":
        x[0][::2, -2:] = 0.0
    return x


def labels_of(name: str, rows: int) -> list[Any]:
    """Return random labels for each output: classes, or numbers."""
    draw = np.random.default_rng(3)
    sizes = SMALL[name].outputs
    numbers = [draw.normal(size=(rows, size)).astype("float32") for size in sizes]
    return numbers or [draw.integers(0, 4, rows)]


def loss_of(name: str) -> Any:
    if SMALL[name].outputs:
        return ["mse"] * len(SMALL[name].outputs)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
