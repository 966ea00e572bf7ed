"""Runs handed to Keras: the same bytes of weights, the same further training."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import layers, losses, metrics
from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.writing import compiled as written_compiled
from dnnbridge.formats.keras.writing import layers as written_layers

keras = pytest.importorskip("keras")
keras_models = pytest.importorskip("convert.keras_models")
from_keras_tests = pytest.importorskip("convert.test_from_keras")

labels, loss, SLOTTED = from_keras_tests.labels, from_keras_tests.loss, from_keras_tests.SLOTTED


def trained(model, optimizer):
    model.compile(optimizer, loss(), metrics=["accuracy"], run_eagerly=True)
    x, y = keras_models.inputs_of(model, 12, 1), labels()
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    return x, y


def check_same(model, back, x, y):
    """Compare arrays bit for bit, and the losses of further steps."""
    for old, new in zip(model.weights, back.weights, strict=True):
        np.testing.assert_array_equal(new.numpy(), old.numpy(), err_msg=old.path)
    for old, new in zip(model.optimizer.variables, back.optimizer.variables, strict=True):
        if "adafactor" not in old.path or "velocity" not in old.path:  # made anew at each step
            np.testing.assert_allclose(new.numpy(), old.numpy(), rtol=1e-6, err_msg=old.path)
    back.run_eagerly = True
    np.testing.assert_array_equal(back.predict(x, verbose=0), model.predict(x, verbose=0))
    fits = [m.fit(x, y, batch_size=4, shuffle=False, verbose=0).history for m in (model, back)]
    assert fits[0]["accuracy"] == fits[1]["accuracy"]
    np.testing.assert_allclose(fits[1]["loss"], fits[0]["loss"], rtol=1e-6)


QUICK = {"dense", "convolutions", "states", "shared", "nested", "frozen", "spectral"}


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in keras_models.MODELS
    ],
)
def test_a_model_comes_back_bit_for_bit(name):
    keras.utils.set_random_seed(0)
    model = keras_models.randomised(keras_models.MODELS[name]())
    x, y = trained(model, keras.optimizers.Adam(0.01))
    check_same(model, db.to_keras(db.from_keras(model).compile("reference")), x, y)


SHORT = {"sgd", "ema", "window", "Adafactor", "Nadam"}
"""Optimizers whose arrays differ from those of Keras in sign, order or number."""


@pytest.mark.parametrize(
    "name",
    [each if each in SHORT else pytest.param(each, marks=pytest.mark.slow) for each in SLOTTED],
)
def test_an_optimizer_comes_back(name):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(4)]
    )
    x, y = trained(model, SLOTTED[name]())
    check_same(model, db.to_keras(db.from_keras(model).compile("reference")), x, y)


OF_BITS = {
    "dice": lambda: keras.losses.Dice(),
    "rows": lambda: keras.losses.Dice(axis=(1,)),
    "tversky": lambda: keras.losses.Tversky(0.3, 0.6, axis=-1),
    "hinge": lambda: keras.losses.Hinge(),
}


@pytest.mark.parametrize("name", OF_BITS)
def test_a_loss_of_labels_0_and_1_is_the_same_here_and_there(name):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), OF_BITS[name](), run_eagerly=True)
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(7, 3)).astype("float32"), (draw.random((7, 4)) < 0.5) * 1.0
    run = db.from_keras(model).compile("reference")
    back = db.to_keras(run)
    wanted, found, again = (
        each.fit(x, y, batch_size=4, epochs=2, shuffle=False, **quiet).history["loss"]
        for each, quiet in ((model, {"verbose": 0}), (run, {}), (back, {"verbose": 0}))
    )
    np.testing.assert_allclose(found, wanted, rtol=2e-6)
    np.testing.assert_allclose(again, wanted, rtol=2e-6)


OURS = {
    "momentum": db.SGD(0.05, momentum=0.9),
    "adam": db.Adam(0.01),
    "steps": db.Adam(db.PiecewiseConstant.keras((2, 5), (0.1, 0.05, 0.01))),
    "clipped": db.RMSprop(0.01),
}


@pytest.mark.parametrize("name", OURS)
def test_a_training_of_ours_goes_on_in_keras(name):
    model = db.Sequential([db.Input((6,)), db.Dense(5, "tanh"), db.Dense(4)])
    gradients = [db.ClipByNorm(0.5)] if name == "clipped" else []
    experiment = db.Experiment(
        model,
        db.SparseCategoricalCrossentropy(from_logits=True),
        OURS[name],
        metrics=["accuracy"],
        gradients=gradients,
    )
    run = db.compile(experiment, "reference")
    x, y = np.random.default_rng(1).normal(size=(12, 6)).astype("float32"), labels()
    run.fit(x, y, batch_size=3, shuffle=False)
    back = db.to_keras(run)
    back.run_eagerly = True
    wanted = run.fit(x, y, batch_size=3, epochs=2, shuffle=False).history
    found = back.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(found["loss"], wanted["loss"], rtol=2e-6)
    np.testing.assert_allclose(found["accuracy"], wanted["accuracy"], rtol=1e-6)


def test_everything_that_keras_lacks_is_named_at_once():
    model = db.Sequential(
        [
            db.Input((6, 3)),
            db.SinusoidalPositions(name="places"),
            db.LSTM(4, use_recurrent_bias=True, name="two"),
            db.Dense(4),
        ]
    )
    experiment = db.Experiment(
        model,
        db.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        db.Lookahead(db.SGD(0.1)),
        frozen=["dense/bias"],
    )
    with pytest.raises(ConversionError) as caught:
        db.to_keras(db.compile(experiment, "reference"))
    for words in ("5 parts", "written", "places: ", "two: ", "loss: ", "optimizer: ", "dense: "):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("ours", "theirs", "lacking"),
    [
        (losses, keras.losses, written_compiled.NOT_IN_KERAS),
        (metrics, keras.metrics, written_compiled.NOT_IN_KERAS),
        (layers, keras.layers, written_layers.NOT_IN_KERAS),
    ],
    ids=["losses", "metrics", "layers"],
)
def test_fields_that_keras_lacks_are_known(ours, theirs, lacking):
    unknown = set()
    for name in ours.__all__:
        here, there = getattr(ours, name), getattr(theirs, name, None)
        if there is None or not dataclasses.is_dataclass(here):
            continue
        bases = [cls for cls in there.__mro__ if cls.__module__.startswith("keras")]
        known = {p for cls in bases for p in inspect.signature(cls.__init__).parameters}
        own = {field.name for field in dataclasses.fields(here)} - known
        own -= {f for n, f in written_compiled.EXCEPTIONS if n == name}
        if name in written_layers.ONE_AXIS:
            own.discard("data_format")
        if name.startswith("MaxPooling"):
            own.discard("dilation_rate")  # convolutions of Keras have it
        unknown |= {f"{name}.{field}" for field in own - lacking}
    assert not unknown


ALONE = """
import sys
for name in ("tensorflow", "keras", "mindspore"):
    sys.modules[name] = None
import dnnbridge as db
run = db.load(sys.argv[1], backend="reference")
run.export(sys.argv[2])
"""


def test_a_file_is_written_without_any_framework(tmp_path):
    model = keras_models.randomised(keras_models.attention())
    x, _ = trained(model, keras.optimizers.Adam(0.01))
    db.from_keras(model).compile("reference").save(tmp_path / "run.safetensors")
    target = tmp_path / "model.keras"
    command = [sys.executable, "-c", ALONE, str(tmp_path / "run.safetensors"), str(target)]
    subprocess.run(command, check=True, timeout=300)
    back = keras.saving.load_model(target)
    np.testing.assert_allclose(back.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)


WRONG_FILES = {
    "other": ("model.h5", None, "unknown format, got 'model.h5'"),
    "format": ("model.keras", "tflite", "unknown format, got 'tflite'"),
    "suffix": ("model.h5", "keras", "must end in .keras, got model.h5"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_refused(name, tmp_path):
    file, format, words = WRONG_FILES[name]
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match=words):
        run.export(tmp_path / file, format)
    assert not list(tmp_path.iterdir())


UNWRITTEN = {
    "weights in an activation": db.Dense(4, "prelu"),
    "wrong width in Keras": db.Dense(4, "glu"),
    "one tensor": db.Sequential([db.Input((3, 4)), db.MultiHeadAttention(2, 3)]),
}


@pytest.mark.parametrize("name", UNWRITTEN)
def test_what_keras_would_not_load_is_not_written(name, tmp_path):
    layer = UNWRITTEN[name]
    shape = (3, 4) if isinstance(layer, db.Sequential) else (4,)
    model = db.Sequential([db.Input(shape), layer, db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match="1 part of the model cannot be written"):
        run.export(tmp_path / "model.keras")


def test_an_output_without_a_head_goes_back():
    x = db.Input((4,))
    model = db.Model(x, [db.Dense(3, name="a")(x), db.Dense(2, name="b")(x)])
    run = db.compile(db.Experiment(model, [db.Head("a", "mse")], "sgd"), "reference")
    back = db.to_keras(run)
    back.run_eagerly = True
    draw = np.random.default_rng(0)
    x, a, b = (draw.normal(size=(6, n)).astype("float32") for n in (4, 3, 2))
    found = back.evaluate(x, {"a": a, "b": b}, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(run.evaluate(x, {"a": a})["loss"], rel=1e-6)


def test_attention_that_keras_refuses_is_refused():
    query, value = db.Input((5, 8)), db.Input((4, 6))
    h = db.GroupQueryAttention(3, 4, 2)(query, value)
    model = db.Model([query, value], db.Dense(3)(h))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match="different numbers of features, which Keras refuses"):
        db.to_keras(run)


def test_losses_of_states_come_back():
    """Keras names each output by its layer, so two outputs of one layer have one name."""
    x = db.Input((5, 3))
    y, h, c = db.LSTM(4, return_state=True)(x)
    heads = [db.Head("lstm_h", db.MeanSquaredError(), 2.0), db.Head("lstm_c", "mae")]
    model = db.Model(x, [y, h, c])
    run = db.compile(db.Experiment(model, heads, db.SGD(0.1)), "reference")
    back = db.to_keras(run)
    back.run_eagerly = True
    draw = np.random.default_rng(0)
    x, t = draw.normal(size=(6, 5, 3)).astype("float32"), draw.normal(size=(6, 4))
    arguments = {"batch_size": 3, "epochs": 2, "shuffle": False}
    found = run.fit(x, {"lstm_h": t, "lstm_c": -t}, **arguments).history["loss"]
    wanted = back.fit(x, [t, t, -t], verbose=0, **arguments).history["loss"]
    np.testing.assert_allclose(found, wanted, rtol=2e-6)
    again = db.from_keras(back).experiment
    assert again.heads == run.experiment.heads


def test_zeros_around_a_convolution_are_named(tmp_path):
    layers = [db.Conv2D(2, 3, padding=1), db.MaxPooling2D(2, padding=1), db.ZeroPadding2D(1)]
    model = db.Sequential([db.Input((8, 8, 1)), *layers, db.Flatten(), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(ConversionError, match="put a ZeroPadding before it") as caught:
        run.export(tmp_path / "model.keras")
    assert "conv2d: padding=((1, 1), (1, 1))" in str(caught.value)
    assert "max_pooling2d: padding" in str(caught.value)
    assert "zero_padding" not in str(caught.value)
