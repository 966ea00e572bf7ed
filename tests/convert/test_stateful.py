"""Keras' layers with stateful=True: all functions of a model go on from batch to batch."""

from __future__ import annotations

import importlib.util
import json
import re

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError

keras = pytest.importorskip("keras")
layers = keras.layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5, 3)).astype("float32")
X[3, 2:4] = 0.0
Y = RNG.normal(size=(6, 2)).astype("float32")
ON = {"stateful": True}
FIT = {"epochs": 3, "shuffle": False, "validation_data": (X[:4], Y[:4])}


def given():
    return keras.Input(batch_shape=(2, 5, 3))


def sequential(*inner):
    return keras.Sequential([given(), *inner, layers.Dense(2)])


def masked():
    x = given()
    h = layers.GRU(3, return_sequences=True, **ON)(layers.Masking()(x))
    return keras.Model(x, layers.Dense(2)(layers.LSTM(4, **ON)(h)))


def started():
    x = given()
    y, *states = layers.LSTM(4, return_state=True, **ON)(x)
    z = layers.LSTM(4, **ON)(x, initial_state=states)
    return keras.Model(x, layers.Dense(2)(layers.Concatenate()([y, z])))


def nested():
    inner = keras.Sequential([given(), layers.SimpleRNN(4, return_sequences=True, **ON)])
    x = given()
    return keras.Model(x, layers.Dense(2)(layers.GRU(3, go_backwards=True, **ON)(inner(x))))


def both_ways():
    first = layers.Bidirectional(layers.LSTM(3, return_sequences=True, **ON))
    return sequential(first, layers.Bidirectional(layers.GRU(3, **ON), merge_mode="sum"))


def of_a_cell():
    return sequential(layers.RNN(layers.LSTMCell(4), **ON))


def of_images():
    lines = layers.Reshape((5, 3, 1))
    first = layers.ConvLSTM1D(2, 2, padding="same", return_sequences=True, **ON)
    return sequential(lines, first, layers.ConvLSTM1D(3, 2, **ON), layers.Flatten())


slow = pytest.mark.slow
MODELS = [
    masked,
    pytest.param(nested, marks=slow),
    pytest.param(started, marks=slow),
    pytest.param(both_ways, marks=slow),
    pytest.param(of_a_cell, marks=slow),
    pytest.param(of_images, marks=slow),
]


def compiled(make):
    keras.utils.set_random_seed(1)
    model = make()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def compared(run, model):
    """Compare predictions twice, evaluation, 3 epochs and predictions after them."""

    def close(ours, theirs):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-5)

    first = run.predict(X)
    close(first, model.predict(X, batch_size=2, verbose=0))
    again = run.predict(X)
    close(again, model.predict(X, batch_size=2, verbose=0))
    assert np.abs(again - first).max() > 1e-3
    close(run.evaluate(X, Y)["loss"], model.evaluate(X, Y, batch_size=2, verbose=0))
    ours = run.fit(X, Y, **FIT).history
    theirs = model.fit(X, Y, batch_size=2, verbose=0, **FIT).history
    for name in ("loss", "val_loss"):
        close(ours[name], theirs[name])
    close(run.predict(X), model.predict(X, batch_size=2, verbose=0))


@pytest.mark.parametrize("make", MODELS)
def test_states_go_on_as_in_keras(make, tmp_path):
    model = compiled(make)
    model.save(tmp_path / "model.keras")
    imported = db.from_keras(tmp_path / "model.keras")
    assert imported.model == db.from_keras(model).model
    assert imported.model.batch_size == 2
    compared(imported.compile("reference"), model)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_states_go_on_as_in_keras_on(backend):
    pytest.importorskip(backend)
    model = compiled(masked)
    compared(db.from_keras(model).compile(backend), model)


def test_a_run_is_written_with_states_that_start_at_zero(tmp_path):
    run = db.from_keras(compiled(nested)).compile("reference")
    run.fit(X, Y, **FIT)
    run.export(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    assert read.input_shape == (2, 5, 3)
    run.reset_states()
    compared(run, read)


def test_a_legacy_file_keeps_states(tmp_path):
    made = compiled(both_ways)
    made.save(tmp_path / "model.h5")
    assert db.from_keras(tmp_path / "model.h5").model == db.from_keras(made).model


def test_a_batch_size_without_states_is_left_open():
    made = compiled(lambda: sequential(layers.GRU(2)))
    assert db.from_keras(made).model.batch_size is None


def plain(path):
    spec = importlib.util.spec_from_file_location("plain_stateful", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_plain_source_carries_states(tmp_path):
    run = db.from_keras(compiled(nested)).compile("reference")
    module = plain(run.export(tmp_path / "model_tf.py", format="python-tensorflow"))
    ours = run.fit(X, Y, epochs=2).step_losses
    theirs = module.train(X, Y, epochs=2)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=3e-5)
    with pytest.raises(ValueError, match="batches of 2 examples"):
        module.train(X[:5], Y[:5])


@pytest.mark.parametrize("format", ["onnx", "python-mindspore", "saved_model"])
def test_formats_without_states_name_the_layers(format, tmp_path):
    run = db.compile(db.from_keras(compiled(nested)).experiment, "reference")
    if format == "onnx":
        pytest.importorskip("onnx")
    with pytest.raises(ConversionError, match=r"sequential\w*/simple_rnn\w*: state") as error:
        run.export(tmp_path / "made.onnx" if format == "onnx" else tmp_path / "made.py", format)
    assert re.search(r"\n  gru\w*: stateful=True", str(error.value))


def called_twice():
    x, layer = given(), layers.SimpleRNN(2, **ON)
    return keras.Model(x, layers.Dense(2)(layers.Concatenate()([layer(x), layer(x)])))


def at_each_step():
    layer = layers.TimeDistributed(layers.SimpleRNN(3, **ON))
    return sequential(layers.Reshape((5, 3, 1)), layer, layers.Flatten())


REFUSED = {
    called_twice: "a second call of a layer with stateful=True",
    at_each_step: "TimeDistributed of a layer with stateful=True",
}


@pytest.mark.parametrize("make", REFUSED)
def test_what_keras_computes_otherwise_is_refused(make):
    with pytest.raises(ConversionError, match=REFUSED[make]):
        db.from_keras(make())


def test_a_second_call_is_not_written(tmp_path):
    x, layer = db.Input((5, 3), batch_size=2), db.GRU(2, stateful=True)
    model = db.Model(x, db.Dense(2)(db.Concatenate()(layer(x), layer(x))))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match=r"gru_1: a second call of a layer with stateful"):
        run.export(tmp_path / "model.keras")


def test_a_configuration_without_weights_is_read(tmp_path):
    made = compiled(masked)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(made.to_json())))
    assert db.from_keras(path).model == db.from_keras(made).model
