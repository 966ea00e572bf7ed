"""Small Keras models that use every kind of layer, by name; import it where Keras is installed."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
from keras import Input, Model, Sequential, layers


@cache
def layer_scale():
    """Return the class LayerScale, which Keras does not export, from a model that has it."""
    model = keras.applications.ConvNeXtTiny(weights=None, include_top=False)
    return next(type(each) for each in model.layers if type(each).__name__ == "LayerScale")


def dense():
    return Sequential(
        [
            Input((6,)),
            layers.Dense(5, "tanh", kernel_regularizer="l2", bias_constraint="max_norm"),
            layers.Dense(4, "softplus", use_bias=False),
        ]
    )


def convolutions():
    return Sequential(
        [
            Input((8, 8, 2)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(4, 3, padding="same", activation="gelu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.SeparableConv2D(6, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.1),
            layers.Conv2DTranspose(3, 2, strides=2, use_bias=False),
            layers.GroupNormalization(3),
            layers.AveragePooling2D(2),
            layers.Cropping2D(((1, 0), (0, 1))),
            layers.UpSampling2D(interpolation="bilinear"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Activation("swish"),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )


def one_axis():
    return Sequential(
        [
            Input((12, 3)),
            layers.Conv1D(4, 3, padding="causal", activation="elu"),
            layers.SeparableConv1D(4, 3, padding="same"),
            layers.DepthwiseConv1D(2),
            layers.PReLU(),
            layers.LayerNormalization(),
            layers.MaxPooling1D(2),
            layers.Conv1DTranspose(3, 2, strides=2),
            layers.SpatialDropout1D(0.0),
            layers.GlobalAveragePooling1D(),
            layers.Dense(4),
        ]
    )


def three_axes():
    return Sequential(
        [
            Input((4, 4, 4, 2)),
            layers.Conv3D(3, 2, activation="selu"),
            layers.AveragePooling3D(2, 1),
            layers.Conv3DTranspose(2, 2),
            layers.GlobalMaxPooling3D(keepdims=True),
            layers.Reshape((2,)),
            layers.Dense(4),
        ]
    )


def recurrent():
    x = Input((7, 3))
    h = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    h = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="sum")(h)
    h = layers.SimpleRNN(4, return_sequences=True, go_backwards=True)(h)
    h = layers.RNN(layers.LSTMCell(3), return_sequences=True)(h)
    h = layers.GRU(4, reset_after=False)(h)
    return Model(x, layers.Dense(4)(h))


def states():
    """An encoder whose states start a decoder; all ways in which Keras writes such calls."""
    x = Input((6, 5))
    source, target = x[:, :4], x[:, 3:]
    y, h, c = layers.LSTM(4, return_state=True)(source)
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True, return_state=True))
    z, *states = both(target, initial_state=[h, c, c, y])
    g, s = layers.GRU(4, return_state=True, go_backwards=True)(z, initial_state=states[0])
    r = layers.RNN(layers.SimpleRNNCell(4), return_sequences=True)(z, s)
    decoder = layers.LSTM(4)
    first = decoder(r, initial_state=[g, states[3]])
    return Model(x, layers.Dense(4)(layers.Add()([first, decoder(r), s])))


def convolutional_states():
    """ConvLSTMs in both directions; the states of one start another."""
    x = Input((2, 6, 5, 2))
    first = layers.ConvLSTM2D(3, 2, padding="same", return_sequences=True, return_state=True)
    y, h, c = first(x)
    z = layers.ConvLSTM2D(3, 3, padding="same", go_backwards=True)(y, initial_state=[c, h])
    t = layers.ConvLSTM2D(2, 2, strides=2, kernel_regularizer="l2")(x)
    lines = layers.Reshape((2, 6, 10))(x)
    both = layers.Bidirectional(layers.ConvLSTM1D(2, 3, dilation_rate=2, use_bias=False))(lines)
    cube = layers.ConvLSTM3D(2, 2, recurrent_activation="hard_sigmoid")
    space = cube(layers.Reshape((2, 2, 3, 5, 2))(x))
    flat = [layers.Flatten()(each) for each in (z, t, both, space)]
    return Model(x, layers.Dense(4)(layers.Concatenate()(flat)))


def attention():
    x = Input((6, 8))
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(2, 4, value_dim=3)(h, h, use_causal_mask=True)
    h = layers.Add()([x, h])
    h = layers.Add()([h, layers.Dense(8)(layers.Dense(16, "gelu")(layers.RMSNormalization()(h)))])
    h = layers.Attention(use_scale=True)([h, layers.TimeDistributed(layers.Dense(8))(h)])
    return Model(x, layers.Dense(4)(layers.GlobalMaxPooling1D()(h)))


def words():
    x = Input((5,))  # Keras' embeddings take floats too
    h = layers.Embedding(11, 6)(x)
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def shared():
    left, right = Input((6,), name="left"), Input((6,), name="right")
    tower = Sequential([Input((6,)), layers.Dense(5, "tanh"), layers.Dense(3)], name="tower")
    a, b = tower(left), tower(right)
    both = [layers.Subtract()([a, b]), layers.Multiply()([a, b]), layers.Average()([a, b])]
    h = layers.Concatenate()([*both, layers.Maximum()([a, b]), layers.Dot(1)([a, b])])
    return Model([left, right], layers.Dense(4, name="class-scores")(h))


def nested():
    x = Input((6,))
    inner_in = Input((6,))
    twice = layers.Dense(6, "tanh")
    inner = Model(inner_in, [twice(twice(inner_in)), layers.Dense(3)(inner_in)], name="inner")
    a, b = inner(x)
    norm = Sequential([Input((6,)), layers.BatchNormalization(), layers.Activation("relu")])
    return Model(x, layers.Dense(4)(layers.Concatenate()([norm(a), b])))


def frozen():
    x = Input((6,))
    body = Sequential(
        [Input((6,)), layers.Dense(5, use_bias=False), layers.BatchNormalization()], name="body"
    )
    body.trainable = False
    still = layers.Dense(5, trainable=False)
    return Model(x, layers.Dense(4)(still(layers.Activation("tanh")(body(x)))))


def activated():
    x = Input((6,))
    h = layers.Dense(8, "hard_tanh")(x)
    h = layers.ReLU(max_value=3.0, negative_slope=0.1, threshold=0.2)(h)
    h = layers.Dense(8, "squareplus")(layers.ReLU(negative_slope=0.3)(h))
    h = keras.activations.relu(h, negative_slope=0.1, max_value=6.0)
    h = keras.ops.glu(keras.activations.exponential(keras.ops.tanh_shrink(h)))
    h = keras.ops.soft_shrink(keras.activations.squareplus(h, b=2.0), 0.1)
    h = keras.ops.minimum(keras.ops.sparse_plus(h), keras.ops.threshold(h, 0.1, 0.2))
    h = layers.Minimum()([keras.ops.glu(layers.Dense(8, "hard_shrink")(h)), layers.ReLU(6.0)(h)])
    h = layers.Activation("sparse_sigmoid")(keras.activations.hard_tanh(h))
    return Model(x, layers.Dense(4)(layers.PReLU(alpha_regularizer="l2")(h)))


def scaled():
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(3).normal(2.0, 3.0, (50, 6)).astype("float32"))
    both = layers.Normalization((1, 2), name="both")
    both.adapt(np.random.default_rng(4).normal(2.0, 3.0, (50, 3, 6)).astype("float32"))
    given = layers.Normalization(
        mean=[0.5] * 6, variance=[2.0, 0.0, 1.0, 1.0, 4.0, 3.0], invert=True
    )
    inner = Sequential([Input((6,)), layers.Dense(6), adapted, layers.UnitNormalization()])
    x = Input((6,))
    h = given(layers.Normalization(None, mean=0.5, variance=4.0)(inner(x)))
    h = layers.Rescaling(np.array([1.0, 2.0, 3.0, 0.5, 0.5, 1.0]), offset=0.1)(h)
    h = both(layers.RepeatVector(3)(layers.Rescaling(1 / 2)(h)))
    h = layers.PReLU("ones", shared_axes=[1])(layers.Reshape((3, -1, 2))(h))
    h = layers.Dropout(0.0, noise_shape=(None, 1, 1, 1))(h)
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def scores():
    x = Input((6, 8))
    h = layers.AdditiveAttention()([x, layers.Dense(8)(x)], use_causal_mask=True)
    h = layers.Attention(use_scale=True, score_mode="concat")([x, h, x])
    h = layers.AdditiveAttention(use_scale=False)([h, layers.Dense(3)(h), x])
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def adaptive():
    x = Input((7, 6, 5, 2))
    h = layers.AdaptiveMaxPooling3D((5, 6, 4))(x)
    h = layers.AdaptiveAveragePooling3D((4, 3, 3))(h)
    h = layers.AdaptiveAveragePooling2D((3, 5))(layers.Reshape((4, 9, 2))(h))
    h = layers.AdaptiveMaxPooling2D((2, 5))(h)
    h = layers.AdaptiveMaxPooling1D(4)(layers.Reshape((10, 2))(h))
    h = layers.AdaptiveAveragePooling1D(3)(h)
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def equations():
    x = Input((5, 6))
    h = layers.EinsumDense("abc,cde->abde", (5, 2, 4), "tanh", bias_axes="de")(x)
    h = layers.EinsumDense("abde,def->abf", (5, 3), kernel_regularizer="l2")(h)
    h = layers.EinsumDense("abc,bcd->abd", (5, 4), bias_axes="b", bias_constraint="max_norm")(h)
    h = layers.EinsumDense("...x,xy->...y", 3, bias_axes="y")(h)
    return Model(x, layers.EinsumDense("abc,bcd->ad", 4, bias_axes="d")(h))


def grouped():
    x = Input((6, 8))
    h = layers.GroupQueryAttention(4, 4, 2, use_gate=True)(x, x, use_causal_mask=True)
    h = layer_scale()(0.3, 8)(h)
    h = layers.GroupQueryAttention(3, 3, 1, sliding_window=2, use_bias=False)(h, x, h)
    h = layers.GroupQueryAttention(2, 2, 2, kernel_regularizer="l2")(h, layers.Dense(8)(x))
    h = layers.MultiHeadAttention(2, 3, use_gate=True, sliding_window=2)(h, x)
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def tied():
    x = Input((5,), dtype="int32")
    tied = layers.ReversibleEmbedding(11, 6, logit_soft_cap=3.0)
    apart = layers.ReversibleEmbedding(11, 4, tie_weights=False, embeddings_regularizer="l2")
    h = layers.Concatenate()([tied(x), apart(x)])
    scores = [each(layers.Dense(size)(h), reverse=True) for each, size in ((tied, 6), (apart, 4))]
    return Model(x, layers.Dense(4)(layers.Flatten()(layers.Add()(scores))))


def looked_up():
    """Embeddings read what is not an input of whole numbers, which Keras casts."""
    x = Input((4,))
    inner_in = Input((4,))
    h = layers.Flatten()(layers.Embedding(11, 3)(inner_in))
    inner = Model(inner_in, layers.Dense(4)(h), name="inner")
    after = Sequential(
        [Input((4,)), layers.Rescaling(0.6, 1.2), layers.Embedding(11, 2), layers.Flatten()]
    )
    whole = keras.ops.cast(x, "int32")
    h = layers.Concatenate()([inner(x), after(x), layers.Embedding(11, 2)(whole)[:, 1]])
    h = layers.Concatenate()([h, keras.ops.cast(whole, "float32")])
    return Model(x, layers.Dense(4)(h), name="looked_up")


def raw_rows():
    """A row of numbers and categories, which adapted layers prepare."""
    draw = np.random.default_rng(6)
    x, codes = Input((2,), name="sizes"), Input((3,), dtype="int32", name="codes")
    scale, bins = layers.Normalization(), layers.Discretization(num_bins=4, output_mode="count")
    found, kinds = layers.IntegerLookup(output_mode="count"), layers.IntegerLookup(mask_token=0)
    scale.adapt(draw.normal(2.0, 3.0, (50, 2)).astype("float32"))
    bins.adapt(draw.normal(size=(90, 2)).astype("float32"))
    found.adapt(draw.integers(0, 8, (9, 3)))
    kinds.adapt(draw.integers(0, 4, (9, 3)))
    known = layers.IntegerLookup(vocabulary=[1, 0, 3], output_mode="one_hot")
    inner_in = Input((3,), dtype="int32")
    rows = layers.Flatten()(layers.Embedding(7, 2)(kinds(inner_in)))
    hot = [layers.Flatten()(known(inner_in)), layers.CategoryEncoding(8, "count")(inner_in)]
    inner = Model(inner_in, layers.Concatenate()([rows, *hot]), name="inner")
    edges = layers.Flatten()(layers.Discretization([0.0, 1.0], output_mode="one_hot")(x))
    h = layers.Concatenate()([scale(x), bins(x), found(codes), inner(codes), edges])
    return Model([x, codes], layers.Dense(4)(h), name="raw_rows")


def images():
    x = Input((9, 7, 3))
    parts = [
        layers.Resizing(6, 5)(x),
        layers.Resizing(6, 5, "nearest")(x),
        layers.Resizing(6, 5, "lanczos3", antialias=True)(x),
        layers.Resizing(6, 5, crop_to_aspect_ratio=True)(x),
        layers.Resizing(6, 5, pad_to_aspect_ratio=True, fill_value=0.5)(x),
        layers.CenterCrop(6, 5)(x),
        layers.Cropping2D(((0, 0), (0, 1)))(layers.CenterCrop(6, 6)(layers.Conv2D(3, 5)(x))),
        layers.CenterCrop(6, 5)(layers.UpSampling2D(2, interpolation="bicubic")(x)),
        layers.CenterCrop(6, 5)(layers.UpSampling2D((2, 3), interpolation="lanczos5")(x)),
    ]
    h = layers.Conv2D(3, 3)(layers.Concatenate()(parts))
    return Model(x, layers.Dense(4)(layers.Flatten()(h)))


def spectral():
    norm = layers.SpectralNormalization
    image = Input((6, 6, 2))
    h = norm(layers.Conv2D(4, 3, activation="tanh", kernel_regularizer="l2"))(image)
    h = norm(layers.Conv2DTranspose(3, 2, strides=2), power_iterations=3)(h)
    h = norm(layers.DepthwiseConv2D(2, use_bias=False))(layers.BatchNormalization()(h))
    return Model(image, norm(layers.Dense(4))(layers.Flatten()(h)))


def steps():
    """Layers at each step that keep statistics or draw."""
    x = Input((3, 6, 6, 2))
    each = Sequential([Input((6, 6, 2)), layers.Conv2D(3, 3), layers.BatchNormalization()])
    h = layers.TimeDistributed(layers.BatchNormalization(momentum=0.7))(x)
    h = layers.TimeDistributed(layers.Dropout(0.0))(layers.TimeDistributed(each)(h))
    h = layers.TimeDistributed(layers.GlobalAveragePooling2D())(h)
    return Model(x, layers.Dense(4)(layers.GRU(3)(h)))


MODELS = {
    made.__name__: made
    for made in (
        *(dense, convolutions, one_axis, three_axes, recurrent, states, attention, words),
        convolutional_states,
        *(shared, nested, frozen, activated, scaled, scores, adaptive, equations),
        *(grouped, tied, looked_up, raw_rows, images, spectral, steps),
    )
}


def inputs_of(model: keras.Model, rows: int, seed: int):
    """Draw the inputs of a model: whole numbers for embeddings and categories."""
    draw = np.random.default_rng(seed)
    if model.name == "raw_rows":
        return [draw.normal(size=(rows, 2)).astype("float32"), draw.integers(0, 8, (rows, 3))]
    if any(isinstance(each, layers.Embedding) for each in model._flatten_layers()):
        words = draw.integers(0, 11, (rows, *model.input_shape[1:])).astype("int32")
        return words + np.float32(0.4) if model.name == "looked_up" else words
    shapes = model.input_shape if isinstance(model.input_shape, list) else [model.input_shape]
    made = [draw.normal(size=(rows, *shape[1:])).astype("float32") for shape in shapes]
    return made if len(made) > 1 else made[0]


def randomised(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give each weight random numbers, so that biases and statistics matter too."""
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        old = weight.numpy()
        if weight.dtype == "float32":
            noise = draw.uniform(-0.05, 0.15, old.shape)
            weight.assign(np.abs(old) + noise if "variance" in weight.path else old + noise)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    return model
