"""Independent witnesses: recurrent layers of both frameworks with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6, 5)).astype("f4")
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 0]], "f4")


def ours(layer, *inputs):
    """Return the reference's value, its gradient by x, and the weights that were drawn."""

    def write(scope, *values):
        return scope.call(layer, *values)

    types = [TensorType((BATCH, *a.shape[1:])) for a in inputs]
    built = equation(write, types, inputs)
    results = built.run(load_backend("reference"))
    weights = {name: a for name, a in built.feeds.items() if "kernel" in name or "bias" in name}
    return results, weights, built.feeds["weights"]


PAIRS = {
    "simple_rnn": (db.SimpleRNN(4, return_sequences=True), "SimpleRNN", {}),
    "lstm": (db.LSTM(4, return_sequences=True), "LSTM", {}),
    "lstm-backwards": (
        db.LSTM(4, return_sequences=True, go_backwards=True),
        "LSTM",
        {"go_backwards": True},
    ),
    "gru": (db.GRU(4, return_sequences=True), "GRU", {}),
    "gru-reset_before": (
        db.GRU(4, return_sequences=True, reset_after=False),
        "GRU",
        {"reset_after": False},
    ),
}


@witness("Keras")
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize(("layer", "name", "arguments"), PAIRS.values(), ids=PAIRS)
def test_layers_equal_keras(layer, name, arguments, masked):
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    inputs = (X, MASK) if masked else (X,)
    results, weights, cotangent = ours(layer, *inputs)
    theirs = getattr(keras.layers, name)(4, return_sequences=True, **arguments)
    compare(theirs, tf, inputs, weights, results, cotangent)


@witness("Keras", db.Bidirectional)
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("sequences", [True, False])
def test_both_directions_equal_keras(merge_mode, sequences):
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    inner = db.LSTM(4, return_sequences=sequences)
    results, weights, cotangent = ours(db.Bidirectional(inner, merge_mode), X, MASK)
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(4, return_sequences=sequences), merge_mode=merge_mode
    )
    compare(theirs, tf, (X, MASK), weights, results, cotangent)


def compare(theirs, tf, inputs, weights, results, cotangent):
    x = tf.constant(inputs[0])
    mask = {"mask": tf.constant(inputs[1] > 0)} if len(inputs) > 1 else {}
    theirs(x, **mask)
    theirs.set_weights(list(weights.values()))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = theirs(x, **mask)
        total = tf.reduce_sum(y * tf.constant(cotangent))
    assert_close(y.numpy(), results["value"], 5e-6, "value")
    by_x, by_weights = tape.gradient(total, (x, theirs.trainable_variables))
    assert_close(by_x.numpy(), results["d/input_0"], 1e-5, "gradient")
    for found, name in zip(by_weights, weights, strict=True):
        assert_close(found.numpy(), results[f"d/{name}"], 2e-5, name)


@witness("Keras", db.ConvLSTM1D)
def test_a_mask_holds_the_states_of_a_convolutional_lstm_as_in_keras():
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    lines = RNG.normal(size=(3, 6, 5, 2)).astype("f4")
    arguments = {"padding": "same", "return_sequences": True}
    for more in ({}, {"go_backwards": True}, {"zero_output_for_mask": True}):
        layer = db.ConvLSTM1D(2, 3, **arguments, **more)
        results, weights, cotangent = ours(layer, lines, MASK)
        theirs = keras.layers.ConvLSTM1D(2, 3, **arguments, **more)
        compare(theirs, tf, (lines, MASK), weights, results, cotangent)


@witness("Keras", db.ConvLSTM3D)
def test_a_convolutional_lstm_of_volumes_is_that_of_keras():
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    volumes = RNG.normal(size=(2, 3, 3, 4, 3, 2)).astype("f4")
    arguments = {"padding": "same", "return_sequences": True}
    results, weights, cotangent = ours(db.ConvLSTM3D(2, 2, **arguments), volumes)
    theirs = keras.layers.ConvLSTM3D(2, 2, **arguments)
    compare(theirs, tf, (volumes,), weights, results, cotangent)


@witness("the same layer with channels last", db.ConvLSTM2D)
def test_channels_first_is_another_layout_of_the_same_numbers():
    images = RNG.normal(size=(2, 3, 5, 4, 2))
    made = {"padding": "same", "strides": (2, 1), "return_sequences": True, "return_state": True}
    inputs = [db.Input((3, 5, 4, 2)), db.Input((3, 4, 3)), db.Input((3, 4, 3))]
    last = db.Model(inputs, db.ConvLSTM2D(3, 2, **made)(inputs[0], initial_state=inputs[1:])[0])
    inputs = [db.Input((3, 2, 5, 4)), db.Input((3, 3, 4)), db.Input((3, 3, 4))]
    first = db.ConvLSTM2D(3, 2, **made, data_format="channels_first", name="conv_lstm2d")
    turned = db.Model(inputs, first(inputs[0], initial_state=inputs[1:])[0])
    states = [RNG.normal(size=(2, 3, 4, 3)) for _ in range(2)]
    wanted, other = (run_of(model) for model in (last, turned))
    other.set_parameters(wanted.parameters())
    y = wanted.predict([images, *states])
    given = [images.transpose(0, 1, 4, 2, 3), *(each.transpose(0, 3, 1, 2) for each in states)]
    assert_close(other.predict(given), y.transpose(0, 1, 4, 2, 3), 1e-6, "value")


def run_of(model):
    return db.compile(db.Experiment(model, "mse", "sgd"), "reference")


@witness("MindSpore", db.LSTM)
def test_an_lstm_equals_that_of_mindspore():
    """MindSpore's GRU and RNN use its tanh, which has an error of 1e-4."""
    ms = pytest.importorskip("mindspore")
    results, weights, _ = ours(db.LSTM.mindspore(4), X)
    theirs = ms.nn.LSTM(5, 4, batch_first=True)
    bias = next(a for name, a in weights.items() if name.endswith("bias"))
    kernel, recurrent = (a for name, a in weights.items() if not name.endswith("bias"))
    given = dict(zip(("ih", "hh"), ((kernel, bias[0]), (recurrent, bias[1])), strict=True))
    for parameter in theirs.get_parameters():
        matrix, vector = given["ih" if "ih" in parameter.name else "hh"]
        value = matrix.T if "weight" in parameter.name else vector
        ms.ops.assign(parameter, ms.Tensor(np.ascontiguousarray(value)))
    y, _ = theirs(ms.Tensor(X))
    assert_close(y.asnumpy(), results["value"], 5e-6, "value")


def test_mindspore_defaults():
    """Every weight starts within 1/√units, and the bias has two rows."""
    for layer in (db.LSTM.mindspore(16), db.GRU.mindspore(16), db.SimpleRNN.mindspore(16)):
        model = db.Sequential([db.Input((6, 5)), layer, db.Flatten(), db.Dense(1)])
        run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
        weights = [a for name, a in run.parameters().items() if not name.startswith("dense")]
        assert [a.shape[0] for a in weights] == [5, 16, 2]
        for array in weights:
            assert 0.2 < abs(array).max() <= 0.25
            assert abs(array.mean()) < 0.04


@witness("the layer, step by step", db.TimeDistributed)
def test_every_step_has_the_layer_and_its_weights():
    """Dense acts on the last axis, so applying it at every step is the same as on all steps."""
    one, weights, _ = ours(db.TimeDistributed(db.Dense(4, "tanh")), X)
    all_steps, same, _ = ours(db.Dense(4, "tanh"), X)
    assert [a.shape for a in weights.values()] == [a.shape for a in same.values()]
    for (name, array), (other, expected) in zip(weights.items(), same.items(), strict=True):
        np.testing.assert_array_equal(array, expected)
        assert_close(one[f"d/{name}"], all_steps[f"d/{other}"], 1e-12, name)
    assert_close(one["value"], all_steps["value"], 1e-12, "value")
