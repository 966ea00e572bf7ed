"""Independent witnesses in a line of NumPy or Keras: merging, shapes, noise, penalties."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import named, witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
A, B, C = RNG.normal(size=(3, 4, 5, 6)).astype(np.float32)
IMAGE = RNG.normal(size=(3, 4, 5, 6)).astype(np.float32)


def evaluated(spec, *arrays):
    """Return the random numbers and the value, from the reference."""
    kinds = {"f": "float32", "i": "int32"}
    types = [TensorType((BATCH, *a.shape[1:]), kinds[a.dtype.kind]) for a in arrays]
    built = equation(lambda scope, *v: scope.call(spec, *v), types, arrays, gradient=False)
    return built.feeds, built.run(load_backend("reference"))["value"]


MERGES = {
    "Add": lambda *v: v[0] + v[1] + v[2],
    "Multiply": lambda *v: v[0] * v[1] * v[2],
    "Average": lambda *v: np.mean(v, 0),
    "Maximum": lambda *v: np.max(v, 0),
    "Minimum": lambda *v: np.min(v, 0),
    "Concatenate": lambda *v: np.concatenate(v, -1),
}


@witness("Keras", *named(MERGES))
@pytest.mark.parametrize("name", MERGES)
def test_merging_layers_equal_numpy_and_keras(name):
    _, found = evaluated(getattr(db, name)(), A, B, C)
    assert_close(found, MERGES[name](*(v.astype(float) for v in (A, B, C))), 1e-15, name)
    native = getattr(pytest.importorskip("keras").layers, name)()
    assert_close(np.asarray(native([A, B, C])), found, 1e-6, name)


@witness("Keras", db.Subtract)
def test_subtract_equals_keras():
    _, found = evaluated(db.Subtract(), A, B)
    native = pytest.importorskip("keras").layers.Subtract()
    assert_close(np.asarray(native([A, B])), found, 1e-6, "Subtract")


SHAPES = {
    "Flatten": (db.Flatten(), {}),
    "Reshape": (db.Reshape((5, 24)), {"target_shape": (5, 24)}),
    "Permute": (db.Permute((3, 1, 2)), {"dims": (3, 1, 2)}),
}


@witness("Keras", *named(SHAPES))
@pytest.mark.parametrize("name", SHAPES)
def test_shapes_equal_keras(name):
    layer, arguments = SHAPES[name]
    _, found = evaluated(layer, IMAGE)
    native = getattr(pytest.importorskip("keras").layers, name)(**arguments)
    np.testing.assert_array_equal(np.asarray(native(IMAGE)), found)


@witness("Keras", db.Dense)
def test_dense_equals_numpy_and_keras():
    layer = db.Dense(3, activation="tanh")
    feeds, found = evaluated(layer, A)
    kernel, bias = (feeds[name].astype(float) for name in ("kernel", "bias"))
    assert_close(found, np.tanh(A.astype(float) @ kernel + bias), 1e-14, "Dense")
    native = pytest.importorskip("keras").layers.Dense(3, activation="tanh")
    native.build(A.shape)
    native.set_weights([feeds["kernel"], feeds["bias"]])
    assert_close(np.asarray(native(A)), found, 2e-6, "Dense")


@witness("NumPy", db.Linear, db.Activation, db.PadFeatures, db.PositionEmbedding)
def test_activation_and_features_are_what_they_say():
    _, found = evaluated(db.Activation("relu"), A)
    np.testing.assert_array_equal(found, np.where(A > 0, A, 0))
    _, found = evaluated(db.Linear(), A)
    np.testing.assert_array_equal(found, A)
    _, found = evaluated(db.PadFeatures(2, 1), A)
    np.testing.assert_array_equal(found, np.pad(A, [(0, 0), (0, 0), (2, 1)]))
    feeds, found = evaluated(db.PositionEmbedding(7), A)
    np.testing.assert_array_equal(found, A.astype(float) + feeds["embeddings"][:5])


@witness("Keras", db.Dropout)
def test_a_dropout_divides_what_it_keeps_as_keras_does():
    keras = pytest.importorskip("keras")
    x = np.ones((200, 300), np.float32)
    feeds, found = evaluated(db.Dropout(0.3), x)
    np.testing.assert_allclose(found, feeds["random:mask"] / 0.7, rtol=1e-6)
    theirs = np.asarray(keras.layers.Dropout(0.3, seed=0)(x, training=True))
    np.testing.assert_allclose(np.unique(found), np.unique(theirs), rtol=1e-6)
    assert abs((found == 0).mean() - (theirs == 0).mean()) < 0.01


@witness("Keras", db.SpatialDropout1D, db.SpatialDropout2D, db.SpatialDropout3D)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_spatial_dropout_keeps_the_channels_that_keras_would(axes):
    keras = pytest.importorskip("keras")
    x = np.ones((*(40, 3, 4, 2)[: axes + 1], 50), np.float32)
    _, found = evaluated(getattr(db, f"SpatialDropout{axes}D")(0.4), x)
    native = getattr(keras.layers, f"SpatialDropout{axes}D")(0.4, seed=0)
    theirs = np.asarray(native(x, training=True))
    places = tuple(range(1, axes + 1))
    for value in (found, theirs):
        assert (value == value.max(places, keepdims=True)).all()
        np.testing.assert_allclose(np.unique(value), [0, 1 / 0.6], rtol=1e-6)
        assert abs((value == 0).mean() - 0.4) < 0.05


@witness("NumPy", db.GaussianSampling)
def test_gaussian_sampling_has_the_mean_and_the_variance_it_is_told():
    mean, log_variance = np.full((500, 400), 0.5, np.float32), np.full((500, 400), -1.0, np.float32)
    _, found = evaluated(db.GaussianSampling(0.0), mean, log_variance)
    np.testing.assert_allclose(found.mean(), 0.5, atol=0.005)
    np.testing.assert_allclose(found.var(), np.exp(-1.0), rtol=0.01)


@witness("NumPy", db.Sequential, db.Model)
def test_models_are_compositions():
    inner = db.Sequential([db.Input((6,)), db.Activation("tanh")])
    x = db.Input((6,))
    model = db.Model(x, db.Add()([inner(x), x]))
    data = RNG.normal(size=(5, 6)).astype(np.float32)
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    assert_close(run.predict(data), np.tanh(data.astype(float)) + data, 1e-6, "model")


SIMPLE = {"Zeros": 0.0, "Ones": 1.0, "Constant": 0.3}


@witness("Keras", *named(SIMPLE))
@pytest.mark.parametrize("name", SIMPLE)
def test_constants_equal_keras(name):
    given = {"value": SIMPLE[name]} if name == "Constant" else {}
    ours = getattr(db, name)(**given).sample(np.random.default_rng(0), (2, 3))
    native = getattr(pytest.importorskip("keras").initializers, name)(**given)
    np.testing.assert_array_equal(np.asarray(native((2, 3))), ours.astype(np.float32))


@witness("Keras", db.Identity)
def test_identity_equals_keras():
    ours = db.Identity(2.0).sample(np.random.default_rng(0), (4, 4))
    native = pytest.importorskip("keras").initializers.Identity(2.0)
    np.testing.assert_array_equal(np.asarray(native((4, 4))), ours)


@witness("Keras", db.Accuracy)
def test_accuracy_equals_keras():
    scores, label = RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 3, 40)
    _, found = evaluated(db.Accuracy(), scores, label.astype(np.int32))
    native = pytest.importorskip("keras").metrics.SparseCategoricalAccuracy()
    native.update_state(label, scores)
    assert db.Accuracy().result(found.sum(0), 40) == pytest.approx(float(native.result()))


@witness("Keras", db.ForgetBias)
def test_forget_bias_equals_keras():
    native = pytest.importorskip("keras").layers.LSTM(3)
    native.build((None, 5, 2))
    ours = db.ForgetBias().sample(np.random.default_rng(0), (12,))
    np.testing.assert_array_equal(np.asarray(native.weights[2]), ours)
