"""`align` on TensorFlow, MindSpore and live Keras models."""

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.doctor.aligning import align

RNG = np.random.default_rng(5)
X = RNG.normal(size=(24, 5)).astype(np.float32)
DATA = X, (X[:, :1] > 0).astype(np.float32)
IMAGES = RNG.normal(size=(16, 6, 6, 1)).astype(np.float32), np.arange(16) % 3


def test_reference_tensorflow_and_mindspore_agree():
    pytest.importorskip("tensorflow")
    layers = db.Dense(6, "tanh"), db.Dense(1, "sigmoid")
    model = db.Sequential([db.Input((5,)), *layers])
    made = db.Experiment(model, "binary_crossentropy", db.Adam(0.01), metrics=["accuracy"])
    runs = {name: db.compile(made, name) for name in ("reference", "tensorflow")}
    pytest.importorskip("mindspore")
    runs["mindspore"] = db.compile(made, "mindspore")
    for a, b in (("reference", "tensorflow"), ("tensorflow", "mindspore")):
        found = align(runs[a], runs[b], DATA, 4, 8)
        assert found.agrees, str(found)
    other = made.replace(optimizer=db.Adam(0.01, beta_1=0.8))
    found = align(runs["reference"], db.compile(other, "tensorflow"), DATA, 3, 8)
    assert [cause.argument.name for cause in found.causes] == ["beta_1"]


@pytest.fixture
def keras():
    return pytest.importorskip("keras")


def dense(keras, **more):
    layers = [keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((5,)), *layers])
    return compiled(keras, model, **more)


def convolutional(keras, dropout=0.0, momentum=0.99, **more):
    layers = [
        keras.layers.Conv2D(3, 3),
        keras.layers.BatchNormalization(momentum=momentum),
        keras.layers.Activation("tanh"),
        keras.layers.Dropout(dropout, name="drop"),
        keras.layers.Flatten(),
        keras.layers.Dense(3, "softmax"),
    ]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    return compiled(keras, model, "sparse_categorical_crossentropy", **more)


def compiled(keras, model, loss="mse", optimizer=None):
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss, metrics=["mae"][: loss == "mse"])
    return model


def kept(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(each) for each in variables], [
        getattr(each, "rate", None) for each in model.layers
    ]


@pytest.mark.parametrize(("make", "data"), [(dense, DATA), (convolutional, IMAGES)])
def test_a_keras_model_agrees_with_its_run_on_the_reference(keras, make, data):
    model = make(keras)
    model.fit(*data, 8, verbose=0)
    before = kept(model)
    run = db.from_keras(model).compile("reference")
    for pair in ((model, run), (run, model)):
        found = align(*pair, data, 4, 8)
        assert found.agrees, str(found)
        assert found.compared > 4 * 15
    for made, expected in zip(kept(model)[0], before[0], strict=True):
        np.testing.assert_array_equal(made, expected)


def test_differences_of_keras_models_have_their_causes(keras):
    a = convolutional(keras, momentum=0.9)
    b = convolutional(keras, optimizer=keras.optimizers.Adam(0.02))
    before = kept(b)
    found = align(a, b, IMAGES, 2, 8)
    assert [(d.step, d.stage, c.argument.name) for d, c in found.found] == [
        (1, "update", "learning_rate"),
        (1, "statistics", "momentum"),
    ]
    for made, expected in zip(kept(b)[0], before[0], strict=False):  # slots were built
        np.testing.assert_array_equal(made, expected)


def test_dropout_of_keras_is_off_and_another_rate_is_named(keras):
    pair = [convolutional(keras, 0.5) for _ in range(2)]
    found = align(*pair, IMAGES, 2, 8)
    assert found.agrees
    assert "Dropout and noise are off" in found.notes[0]
    assert kept(pair[0])[1] == kept(pair[1])[1]
    assert 0.5 in kept(pair[0])[1]
    found = align(pair[0], convolutional(keras), IMAGES, 2, 8)
    assert (found.first.stage, found.first.where) == ("layer", "drop")
    assert found.causes[0].explanation == "rate of Dropout is 0.5 here and 0.0 there."


def test_a_model_is_restored_after_an_error(keras):
    model = dense(keras)
    before = kept(model)
    with pytest.raises(db.errors.DataError):
        align(model, db.from_keras(model).compile("reference"), (X, DATA[1][:5]), 2, 8)
    for made, expected in zip(kept(model)[0], before[0], strict=False):
        np.testing.assert_array_equal(made, expected)


def test_a_model_without_optimizer_is_refused(keras):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    with pytest.raises(db.errors.DataError, match="must be built and compiled"):
        align(model, model, DATA)


def test_words_that_keras_does_not_add_up_are_a_known_difference(keras):
    layers = keras.layers.Embedding(6, 3), keras.layers.Flatten(), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    compiled(keras, model, optimizer=keras.optimizers.Adagrad(0.1))
    words = np.tile(np.arange(4), (8, 1)), DATA[1][:8]  # a batch has each word several times
    found = align(model, db.from_keras(model).compile("reference"), words, 2, 8)
    assert (found.first.stage, found.first.where) == (
        "update",
        f"{model.layers[0].name}/embeddings",
    )
    assert found.causes[0].rule == "indexed-slices"
    assert "convert_to_tensor" in found.causes[0].remedy
