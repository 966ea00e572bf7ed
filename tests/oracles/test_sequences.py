"""Independent witnesses: embeddings, noise and products."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base import randomness
from dnnbridge.errors import DTypeError
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

WORDS = np.array([[0, 3, 3, 1], [6, 0, 0, 5], [3, 2, 1, 0]], np.int32)


def evaluated(layer, *inputs, training=True):
    types = [
        TensorType((BATCH, *x.shape[1:]), "int32" if x.dtype.kind == "i" else "float32")
        for x in inputs
    ]
    built = equation(lambda scope, *v: scope.call(layer, *v), types, inputs, training=training)
    return built.feeds, built.run(load_backend("reference"))


def normal(*shape):
    return randomness.generator(0, "sequences", *shape).normal(size=shape).astype(np.float32)


@witness("Keras", db.Embedding)
def test_embedding_equals_keras():
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    feeds, found = evaluated(db.Embedding(7, 5), WORDS)
    native = keras.layers.Embedding(7, 5)
    native.build()
    native.set_weights([feeds["embeddings"]])
    with tf.GradientTape() as tape:
        y = native(WORDS)
        total = tf.reduce_sum(y * feeds["weights"])
    gradient = tf.convert_to_tensor(tape.gradient(total, native.embeddings.value))
    assert_close(y.numpy(), found["value"], 0.0, "value")
    assert_close(gradient.numpy(), found["d/embeddings"], 1e-6, "gradient")


def test_the_kernel_of_an_equation_starts_as_in_keras():
    keras = pytest.importorskip("keras")
    given = "abcd,cde->abe", (None, 90)
    feeds = db.compile(
        db.Experiment(db.Sequential([db.Input((2, 40, 3)), db.EinsumDense(*given)]), "mse", "sgd"),
        "reference",
    )
    native = keras.layers.EinsumDense(*given)
    native.build((None, 2, 40, 3))
    ours, theirs = feeds.parameters()["einsum_dense/kernel"], native.get_weights()[0]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(abs(ours).max(), abs(theirs).max(), rtol=1e-3)
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.02)


@witness("MindSpore", db.Embedding)
def test_embedding_equals_mindspore():
    ms = pytest.importorskip("mindspore")
    layer = db.Embedding.mindspore(7, 5)
    feeds, found = evaluated(layer, WORDS)
    native = ms.nn.Embedding(7, 5)
    ms.ops.assign(native.embedding_table, ms.Tensor(feeds["embeddings"]))
    assert_close(native(ms.Tensor(WORDS)).asnumpy(), found["value"], 0.0, "value")
    drawn = ms.nn.Embedding(400, 300).embedding_table.asnumpy()
    start = layer.embeddings_initializer.sample(np.random.default_rng(0), (400, 300))
    assert abs(drawn.std() - start.std()) < 1e-4
    assert abs(drawn.mean()) < 1e-4


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_padding_stays_zero_and_its_row_is_never_trained(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    layers = [db.Embedding(7, 3, padding_idx=0), db.Flatten(), db.Dense(1)]
    model = db.Sequential([db.Input((4,), "int32"), *layers])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.5))
    run = db.compile(experiment, backend)
    before = run.parameters()["embedding/embeddings"]
    run.fit(WORDS, normal(3, 1), 2, 3)
    after = run.parameters()["embedding/embeddings"]
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[[1, 2, 3, 5, 6]] != before[[1, 2, 3, 5, 6]]).all()
    np.testing.assert_array_equal(after[4], before[4])  # a missing word
    only = db.Sequential([db.Input((4,), "int32"), layers[0]])
    rows = db.compile(experiment.replace(model=only), backend).predict(WORDS)
    assert not rows[WORDS == 0].any()
    assert rows[WORDS != 0].all()


def test_floats_are_refused():
    with pytest.raises(DTypeError, match="must be int32"):
        _ = db.Sequential([db.Input((4,)), db.Embedding(7, 3)]).output_shape


@witness("NumPy", db.PaddingMask)
def test_padding_mask():
    _, found = evaluated_value(db.PaddingMask(3), WORDS)
    np.testing.assert_array_equal(found["value"], (WORDS != 3).astype(float))


@witness("NumPy", db.Masking, db.Unmask)
def test_unmask_leaves_numbers_and_takes_the_mask_off():
    x = np.random.default_rng(0).normal(size=(3, 4, 2)) * (np.arange(3)[:, None, None] > 0)
    layers = [db.Masking(), db.GlobalAveragePooling1D(), db.Unmask()]
    means = {}
    for order in ((0, 1), (0, 2, 1)):
        model = db.Sequential([db.Input((4, 2)), *(layers[i] for i in order)])
        run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        means[order] = run.predict(np.concatenate([x[:, 1:], np.zeros((3, 1, 2))], axis=1))
    np.testing.assert_allclose(means[0, 2, 1], x[:, 1:].sum(1) / 4, atol=1e-7)
    np.testing.assert_allclose(means[0, 1][1:], x[1:, 1:].mean(1), atol=1e-7)


def evaluated_value(layer, x):
    types = [TensorType((BATCH, *x.shape[1:]), "int32")]
    built = equation(lambda scope, v: scope.call(layer, v), types, [x], gradient=False)
    return built.feeds, built.run(load_backend("reference"))


@witness("papers, in NumPy", db.SinusoidalPositions)
def test_sinusoids_are_those_of_the_paper():
    x = np.zeros((1, 6, 8), np.float32)
    _, found = evaluated(db.SinusoidalPositions(), x)
    for place, i in np.ndindex(6, 4):
        angle = place / 10000 ** (2 * i / 8)
        pair = found["value"][0, place, 2 * i : 2 * i + 2]
        np.testing.assert_allclose(pair, [np.sin(angle), np.cos(angle)], atol=1e-14)


@witness("Keras", db.Dot)
@pytest.mark.parametrize(
    ("axes", "normalize", "shapes"),
    [
        ((2, 1), False, ((3, 4, 5), (3, 5, 6))),
        ((1, 3), True, ((3, 4, 5), (3, 5, 2, 4))),
        (1, False, ((4, 6), (4, 6))),
        (-1, True, ((4, 6), (4, 3, 6))),
        (2, False, ((3, 4, 5), (3, 2, 5))),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1.0, 1e-8])
def test_dot_equals_keras(axes, normalize, shapes, size):
    keras = pytest.importorskip("keras")
    a, b = (size * normal(*shape) for shape in shapes)
    _, found = evaluated(db.Dot(axes, normalize), a, b)
    native = keras.layers.Dot(axes, normalize)
    assert_close(np.asarray(native([a, b])), found["value"], 2e-6, "value")


@witness("Keras", db.AlphaDropout)
def test_alpha_dropout_keeps_mean_and_variance_and_is_that_of_keras():
    keras = pytest.importorskip("keras")
    x = normal(200, 300)
    feeds, found = evaluated(db.AlphaDropout(0.3), x)
    assert abs(found["value"].mean() - x.mean()) < 0.01
    assert abs(found["value"].var() - 1.0) < 0.02
    theirs = np.asarray(keras.layers.AlphaDropout(0.3, seed=0)(x, training=True))
    dropped = feeds["random:mask"] == 0
    values, counts = np.unique(theirs, return_counts=True)
    low = values[counts.argmax()]  # Keras replaces every dropped element by one number
    assert_close(found["value"][dropped], np.full(dropped.sum(), low), 1e-6, "dropped")
    slope = np.polyfit(x[theirs != low], theirs[theirs != low], 1)
    ours = np.polyfit(x[~dropped], found["value"][~dropped], 1)
    np.testing.assert_allclose(ours, slope, atol=1e-5)


@witness("Keras")
@pytest.mark.parametrize(
    ("layer", "name", "argument"),
    [
        (db.GaussianNoise(0.3), "GaussianNoise", 0.3),
        (db.GaussianDropout(0.4), "GaussianDropout", 0.4),
    ],
    ids=["noise", "dropout"],
)
def test_gaussian_layers_have_the_moments_of_keras(layer, name, argument):
    keras = pytest.importorskip("keras")
    x = np.full((300, 400), 2.0, np.float32)
    _, found = evaluated(layer, x)
    theirs = np.asarray(getattr(keras.layers, name)(argument, seed=1)(x, training=True))
    np.testing.assert_allclose(found["value"].mean(), theirs.mean(), rtol=5e-3)
    np.testing.assert_allclose(found["value"].std(), theirs.std(), rtol=1e-2)


def test_spatial_dropout_drops_channels():
    x = np.ones((50, 4, 5, 6), np.float32)
    _, found = evaluated(db.SpatialDropout2D(0.4), x)
    value = found["value"]
    assert (value == value[:, :1, :1]).all()
    np.testing.assert_allclose(np.unique(value), [0.0, 1 / 0.6])
    assert 0.3 < (value == 0).mean() < 0.5
