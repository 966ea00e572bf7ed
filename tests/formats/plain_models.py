"""Experiments with data, of every kind of model that a plain file must hold."""

from __future__ import annotations

import numpy as np

import dnnbridge as db

EXAMPLES = 30


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def classes(count=3):
    return np.random.default_rng(1).integers(0, count, EXAMPLES).astype(np.int32)


LOGITS = db.SparseCategoricalCrossentropy(from_logits=True)


def mlp():
    model = db.Sequential(
        [
            db.Input((6,)),
            db.Dense(8, activation="silu"),
            db.Dropout(0.3),
            db.Dense(3, activation="softmax", kernel_regularizer="l2"),
        ]
    )
    optimizer = db.SGD(0.1, momentum=0.9, nesterov=True)
    loss = "sparse_categorical_crossentropy"
    return (
        db.Experiment(model, loss, optimizer, metrics=["accuracy"]),
        [normal(EXAMPLES, 6)],
        [classes()],
    )


def lenet():
    layers = [
        db.Input((12, 12, 2)),
        db.Conv2D(4, 5, padding="same", activation="silu"),
        db.MaxPooling2D(),
        db.Dropout(0.2),
        db.Conv2D(6, 3, activation="tanh"),
        db.AveragePooling2D(2),
        db.Flatten(),
        db.Dense(3),
    ]
    optimizer = db.Adam(db.ExponentialDecay(0.01, 5, 0.5))
    made = db.Experiment(db.Sequential(layers), LOGITS, optimizer)
    return made, [normal(EXAMPLES, 12, 12, 2)], [classes()]


def residual():
    """A chain of convolutions, with a shortcut; the optimizer is written out."""
    x = db.Input((12, 12, 2))
    h = db.Conv2D(4, 3, padding="same", use_bias=False)(x)
    h = db.Activation("silu")(db.BatchNormalization()(h))
    k = db.BatchNormalization(unbiased=True)(db.Conv2D(4, 3, padding="same", use_bias=False)(h))
    k = db.Activation("silu")(k + h)
    k = db.DepthwiseConv2D(3, strides=2, padding="same")(k)
    y = db.Dense(3)(db.GlobalAveragePooling2D()(k))
    optimizer = db.AdamW(db.CosineDecay(0.01, 20), weight_decay=0.01)
    return (
        db.Experiment(db.Model(x, y), LOGITS, optimizer),
        [normal(EXAMPLES, 12, 12, 2)],
        [classes()],
    )


def sequences(layers, loss, optimizer):
    model = db.Sequential([db.Input((4, 5)), *layers, db.Dense(1)])
    data = [normal(EXAMPLES, 4, 5)], [normal(EXAMPLES, 1, seed=2)]
    return db.Experiment(model, loss, optimizer), *data


def lstm():
    layers = [db.LSTM(6, return_sequences=True), db.LSTM(4)]
    return sequences(layers, "mse", db.RMSprop(0.01))


def gru():
    layers = [db.GRU(4, dropout=0.1, go_backwards=True)]
    return sequences(layers, "mae", db.Adam(0.01, weight_decay=0.1))


def bidirectional():
    return sequences([db.Bidirectional(db.LSTM(3))], "huber", db.Lion(0.01))


def convolutional():
    first = db.ConvLSTM2D(3, 2, padding="same", return_sequences=True, dropout=0.1)
    layers = [db.Input((3, 5, 4, 2)), first, db.ConvLSTM2D(2, 3, 2), db.Flatten(), db.Dense(1)]
    made = db.Experiment(db.Sequential(layers), "mse", db.RMSprop(0.01))
    return made, [normal(EXAMPLES, 3, 5, 4, 2)], [normal(EXAMPLES, 1, seed=2)]


def embedding():
    layers = [
        db.Input((7,), dtype="int32"),
        db.Embedding(20, 4),
        db.GlobalAveragePooling1D(),
        db.Dense(4),
        db.Dense(1, activation="sigmoid"),
    ]
    x = np.random.default_rng(3).integers(0, 20, (EXAMPLES, 7)).astype(np.int32)
    y = classes(2)[:, None].astype(np.float32)
    model = db.Sequential(layers)
    made = db.Experiment(model, "binary_crossentropy", db.SGD(0.1), frozen=["dense/*"])
    return made, [x], [y]


def transformer():
    x = db.Input((7, 8))
    h = db.LayerNormalization()(x)
    h = db.MultiHeadAttention(2, 4)(h, h) + x
    g = db.Dense(16, activation="gelu")(db.LayerNormalization()(h))
    h = h + db.Dropout(0.1)(db.Dense(8)(g))
    model = db.Model(x, db.Dense(2)(db.GlobalAveragePooling1D()(h)))
    optimizer = db.ExponentialMovingAverage(db.Adam(0.003), 0.9)
    made = db.Experiment(model, "mse", optimizer, gradients=[db.ClipByGlobalNorm(0.5)])
    return made, [normal(EXAMPLES, 7, 8)], [normal(EXAMPLES, 2, seed=2)]


def shared():
    """Two inputs, two outputs, and a layer that is called twice."""
    left, right = db.Input((4,), name="left"), db.Input((3,), name="right")
    twice = db.Dense(5, activation="tanh", kernel_constraint="max_norm", name="twice")
    z = db.Concatenate()([twice(left), twice(db.Dense(4)(right))])
    model = db.Model(
        [left, right],
        [db.Dense(1, name="size")(z), db.Dense(3, activation="softmax", name="kind")(z)],
    )
    kind = db.Head("kind", "sparse_categorical_crossentropy", weight=0.5)
    made = db.Experiment(model, [db.Head("size", "mse"), kind], db.SGD(0.05, momentum=0.9))
    return made, [normal(EXAMPLES, 4), normal(EXAMPLES, 3)], [normal(EXAMPLES, 1), classes()]


def hostile():
    """Names that would be code, or that a Cell has already."""
    x = db.Input((3,), name="x")
    h = db.Dense(4, activation="tanh", name="construct")(x)
    h = db.Dense(4, activation="tanh", name="class")(h)
    h = db.BatchNormalization(name="trainable_params")(h)
    y = db.Dense(1, name="ops")(h)
    return (
        db.Experiment(db.Model(x, y), "mse", db.SGD(0.1)),
        [normal(EXAMPLES, 3)],
        [normal(EXAMPLES, 1)],
    )


def masked():
    """Masks of time steps, and states that start another layer."""
    words = db.Input((4,), "int32")
    rows = db.Embedding(7, 5, mask_zero=True)(words)
    y, h, c = db.LSTM(3, return_sequences=True, return_state=True)(rows)
    z = db.LSTM(3, return_sequences=True)(y, initial_state=[h, c])
    seen = db.MultiHeadAttention(2, 2)(db.BatchNormalization()(z), rows)
    model = db.Model(words, db.Dense(3)(db.GlobalAveragePooling1D()(db.Add()(z, seen))))
    x = np.random.default_rng(5).integers(1, 7, (EXAMPLES, 4)).astype(np.int32)
    x[::2, 2:] = 0
    return db.Experiment(model, LOGITS, db.SGD(0.1)), [x], [classes()]


def two_forms():
    """Layers called in two forms: an embedding and its scores, and states to start with."""
    words, table, encoder = db.Input((4,), "int32"), db.ReversibleEmbedding(7, 5), db.LSTM(5)
    encoder = encoder.replace(return_state=True)
    y, h, c = encoder(table(words))
    z, _, _ = encoder(table(words), initial_state=[h, c])
    model = db.Model(words, table(db.Dense(5)(db.Add()(y, z))))
    x = np.random.default_rng(6).integers(0, 7, (EXAMPLES, 4)).astype(np.int32)
    return db.Experiment(model, LOGITS, db.SGD(0.1)), [x], [classes(7)]


def two_outputs():
    x = db.Input((3,))
    h = db.Dense(4, "tanh")(x)
    model = db.Model(x, [db.Dense(3, name="kind")(h), db.Dense(2, name="place")(h)])
    heads = [db.Head("kind", LOGITS), db.Head("place", "mse", weight=0.5)]
    labels = [classes(), normal(EXAMPLES, 2, seed=3)]
    return db.Experiment(model, heads, db.SGD(0.1)), [normal(EXAMPLES, 3)], labels


def raw_rows():
    """Numbers and categories of a table, which layers prepare."""
    sizes, codes = db.Input((2,), name="sizes"), db.Input((3,), "int32", name="codes")
    draw = np.random.default_rng(7)
    x, ids = 5.0 + normal(EXAMPLES, 2, seed=8), draw.integers(0, 6, (EXAMPLES, 3)).astype(np.int32)
    prepared = [
        db.Normalization().adapt(x)(sizes),
        db.Discretization(num_bins=4, output_mode="count").adapt(x)(sizes),
        db.IntegerLookup(output_mode="tf_idf").adapt(ids)(codes),
        db.IntegerLookup(vocabulary=[3, 1], mask_token=0, output_mode="multi_hot")(codes),
        db.CategoryEncoding(6, "count")(codes),
    ]
    model = db.Model([sizes, codes], db.Dense(3)(db.Concatenate()(*prepared)))
    return db.Experiment(model, LOGITS, db.SGD(0.1)), [x, ids], [classes()]


QUICK = {f.__name__: f for f in (mlp, lenet, shared, hostile, two_outputs)}
LONG = {
    f.__name__: f
    for f in (
        *(
            residual,
            lstm,
            gru,
            bidirectional,
            convolutional,
            embedding,
            transformer,
            masked,
            two_forms,
            raw_rows,
        ),
    )
}
