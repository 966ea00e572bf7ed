"""Models of Keras, written to a file by Keras and read without it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.layers import REASONS, RULES
from dnnbridge.formats.keras.optimizers import OPTIMIZERS

keras = pytest.importorskip("keras")
keras_models = pytest.importorskip("convert.keras_models")

LOGITS = {"loss": "sparse_categorical_crossentropy", "optimizer": "sgd"}
ROWS = 12


def labels(rows=ROWS):
    return np.random.default_rng(5).integers(0, 4, rows)


def distance(found, wanted):
    """Return the largest difference, as a part of the largest number."""
    return np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30)


@pytest.fixture(params=keras_models.MODELS)
def model(request):
    keras.utils.set_random_seed(0)
    return keras_models.randomised(keras_models.MODELS[request.param]())


def loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_predictions_and_training_steps_are_those_of_keras(model, tmp_path):
    model.compile(keras.optimizers.SGD(0.05), loss(), metrics=["accuracy"], run_eagerly=True)
    x, y = keras_models.inputs_of(model, ROWS, 1), labels()
    model.save(tmp_path / "model.keras")
    run = db.from_keras(tmp_path / "model.keras").compile("reference")
    assert distance(run.predict(x), model.predict(x, verbose=0)) < 1e-5
    wanted = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    found = run.fit(x, y, batch_size=4, epochs=2, shuffle=False).history
    np.testing.assert_allclose(found["loss"], wanted["loss"], rtol=2e-5)
    np.testing.assert_allclose(found["accuracy"], wanted["accuracy"], rtol=1e-6)
    assert distance(run.predict(x), model.predict(x, verbose=0)) < 5e-5


def test_legacy_files_and_configurations_say_the_same(model, tmp_path):
    if model.name == "raw_rows":
        pytest.skip("legacy files lack vocabularies, see the next test")
    model.compile("sgd", loss())
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    model.save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "model.json").write_text(model.to_json())
    wanted = db.from_keras(tmp_path / "model.keras")
    legacy = db.from_keras(tmp_path / "model.h5")
    parts = db.from_keras(tmp_path / "model.json", weights=tmp_path / "model.weights.h5")
    live = db.from_keras(model)
    assert legacy.experiment == wanted.experiment == live.experiment
    for found in (legacy, parts, live):
        assert found.weights.keys() == wanted.weights.keys()
        for name, array in wanted.weights.items():
            np.testing.assert_array_equal(found.weights[name], array, err_msg=name)


def test_a_file_without_the_vocabulary_is_refused(tmp_path):
    model = keras_models.raw_rows()
    model.compile("sgd", loss())
    model.save(tmp_path / "model.h5")
    with pytest.raises(ConversionError, match=r"only a \.keras file of the model holds") as caught:
        db.from_keras(tmp_path / "model.h5")
    assert str(caught.value).count("IntegerLookup") == 2  # those that have adapted


SLOTTED = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "centred": lambda: keras.optimizers.RMSprop(0.003, momentum=0.5, centered=True),
    "amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0),
    "decay": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.02, 30, warmup_target=0.03, warmup_steps=5)
    ),
    "ema": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=5),
    "window": lambda: keras.optimizers.SGD(0.05, momentum=0.9, gradient_accumulation_steps=2),
} | {kind: lambda kind=kind: getattr(keras.optimizers, kind)(0.01) for kind in OPTIMIZERS}


QUICK = {"Adam", "Adafactor", "Lamb", "Nadam", "decay", "ema", "window"}


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SLOTTED],
)
def test_an_optimizer_goes_on_where_it_was(name, tmp_path):
    suffix = ("keras", "h5")[list(SLOTTED).index(name) % 2]
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(4)]
    )
    model.compile(SLOTTED[name](), loss(), run_eagerly=True)
    x, y = keras_models.inputs_of(model, ROWS, 1), labels()
    model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / f"model.{suffix}")
    imported = db.from_keras(tmp_path / f"model.{suffix}")
    assert imported.step == 8
    run = imported.compile("reference")
    wanted = model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history
    found = run.fit(x, y, batch_size=3, epochs=2, shuffle=False).history
    np.testing.assert_allclose(found["loss"], wanted["loss"], rtol=5e-6)
    if name == "ema":  # Keras leaves the averages in the model when a fit ends
        run.set_parameters(run.averages())
    assert distance(run.predict(x), model.predict(x, verbose=0)) < 2e-5


def test_a_slot_that_is_left_out_changes_the_training(tmp_path):
    """The test above can fail: without its velocities the run differs."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    model.compile(SLOTTED["sgd"](), loss(), run_eagerly=True)
    x, y = keras_models.inputs_of(model, ROWS, 1), labels()
    model.fit(x, y, batch_size=3, shuffle=False, verbose=0)
    imported = db.from_keras(model)
    fresh = imported.replace(optimizer=imported.experiment.optimizer)
    assert fresh.step == 0
    assert not fresh.slots
    losses = [
        i.compile("reference").fit(x, y, batch_size=3).history["loss"][0] for i in (imported, fresh)
    ]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_frozen_layers_stay_frozen():
    model = keras_models.frozen()
    model.compile("sgd", loss())
    assert db.from_keras(model).experiment.frozen == ("body/*", "dense_1/*") or [
        pattern.partition("/")[2] for pattern in db.from_keras(model).experiment.frozen
    ] == ["*", "*"]


def test_everything_that_cannot_be_read_is_named_at_once(tmp_path):
    x = keras.Input((8, 8, 3))
    h = keras.layers.RandomFlip(name="flip")(x)
    solar = keras.layers.Solarization(name="solar")
    inner = keras.Sequential([keras.Input((8, 8, 3)), solar], name="inner")
    h = keras.ops.cumsum(inner(h), axis=1)
    h = keras.layers.Lambda(lambda t: t * 2, name="twice")(h)
    h = keras.layers.Dense(2, dtype="float16")(h)
    keras.Model(x, h).save(tmp_path / "model.keras")
    with pytest.raises(ConversionError) as caught:
        db.from_keras(tmp_path / "model.keras")
    for words in (
        *("5 parts", "flip: ", "inner/solar: ", "cumsum", "twice: "),
        "float16",
    ):
        assert words in str(caught.value)


def test_a_model_without_a_loss_asks_for_one(tmp_path):
    model = keras_models.dense()
    model.save(tmp_path / "model.keras")
    imported = db.from_keras(tmp_path / "model.keras")
    with pytest.raises(ConversionError, match=r"no loss and no optimizer.*replace\(loss=…"):
        imported.compile("reference")
    run = imported.replace(loss="sparse_categorical_crossentropy", optimizer="sgd").compile(
        "reference"
    )
    x = keras_models.inputs_of(model, ROWS, 1)
    assert distance(run.predict(x), model.predict(x, verbose=0)) < 1e-6


def test_open_sizes_are_given(tmp_path):
    x = keras.Input((None, 3))
    model = keras.Model(x, keras.layers.GRU(2)(x))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ConversionError, match="give input_shapes"):
        db.from_keras(tmp_path / "model.keras")
    imported = db.from_keras(tmp_path / "model.keras", input_shapes=(7, 3))
    assert imported.model.input_type.shape == (None, 7, 3)


HEADS = {
    "one_for_all": ("mse", None),
    "list": (["mse", "mae"], [["mae"], ["mse"]]),
    "names": ({"a": "mse", "b": "huber"}, {"b": ["mae"]}),
}


@pytest.mark.parametrize("name", HEADS)
def test_losses_and_metrics_of_several_outputs(name):
    x = keras.Input((3,))
    outputs = [keras.layers.Dense(2, name=each)(x) for each in "ab"]
    model = keras.Model(x, outputs)
    given, metrics = HEADS[name]
    weights = None if given == "mse" else [0.5, 2.0]
    model.compile("sgd", given, metrics=metrics, loss_weights=weights, run_eagerly=True)
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(8, 3)).astype("float32")
    y = [draw.normal(size=(8, 2)).astype("float32") for _ in "ab"]
    run = db.from_keras(model).compile("reference")
    wanted = model.evaluate(rows, y, verbose=0, return_dict=True)
    found = run.evaluate(rows, dict(zip("ab", y, strict=True)))
    assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-6)


NOT_LAYERS = {
    *("Layer", "Wrapper", "InputLayer"),
    *("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"),
}
"""Bases, and what is read as a part of something else."""

MISSING: set[str] = set()
"""Layers of Keras that are not here yet."""


def test_each_layer_of_keras_is_read_or_known_to_be_missing():
    names = {
        cls.__name__
        for cls in vars(keras.layers).values()
        if isinstance(cls, type) and issubclass(cls, keras.layers.Layer)
    }
    others = {name for name in names - RULES.keys() - REASONS.keys() if name[:6] != "Random"}
    assert others == MISSING | NOT_LAYERS


ALONE = """
import sys
for name in ("tensorflow", "keras", "mindspore"):
    sys.modules[name] = None
import numpy as np
import dnnbridge as db
folder = sys.argv[1]
imported = db.from_keras(f"{folder}/model.keras")
run = imported.compile("reference")
np.save(f"{folder}/found.npy", run.predict(np.load(f"{folder}/x.npy")))
"""


def test_a_file_is_read_without_any_framework(tmp_path):
    model = keras_models.attention()
    model.compile("adam", loss())
    model.save(tmp_path / "model.keras")
    x = keras_models.inputs_of(model, ROWS, 1)
    np.save(tmp_path / "x.npy", x)
    subprocess.run([sys.executable, "-c", ALONE, str(tmp_path)], check=True, timeout=300)
    assert distance(np.load(tmp_path / "found.npy"), model.predict(x, verbose=0)) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["attention", "spectral"])
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_a_backend_goes_on_as_keras_does(backend, name, tmp_path):
    pytest.importorskip(backend)
    keras.utils.set_random_seed(0)
    model = keras_models.randomised(keras_models.MODELS[name]())
    model.compile(keras.optimizers.Adam(0.01), loss(), run_eagerly=True)
    x, y = keras_models.inputs_of(model, ROWS, 1), labels()
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    run = db.from_keras(model).compile(backend)
    assert distance(run.predict(x), model.predict(x, verbose=0)) < 1e-5
    wanted = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    found = run.fit(x, y, batch_size=4, epochs=3, shuffle=False).history
    np.testing.assert_allclose(found["loss"], wanted["loss"], rtol=1e-5)


def damaged(folder, name):
    path = folder / name
    if name == "empty.keras":
        path.write_bytes(b"")
    elif name == "text.keras":
        path.write_text("no model")
    elif name == "bare.keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", "{}")
    elif name == "list.json":
        path.write_text("[1, 2]")
    elif name == "class.json":
        path.write_text(json.dumps({"class_name": "MyModel", "config": {}}))
    return path


DAMAGED = {
    "empty.keras": "neither a .keras file",
    "text.keras": "neither a .keras file",
    "bare.keras": "it lacks config.json and model.weights.h5",
    "list.json": "not an object",
    "class.json": "not a Sequential or Functional model, got MyModel",
    "missing.keras": "does not exist",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_said_to_be_that(name, tmp_path):
    with pytest.raises(ConversionError, match=DAMAGED[name]):
        db.from_keras(damaged(tmp_path, name))


def test_a_flipped_bit_in_the_weights_is_found(tmp_path):
    path = tmp_path / "model.keras"
    keras_models.dense().save(path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        content[archive.getinfo("model.weights.h5").header_offset + 5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ConversionError, match=r"model\.weights\.h5 is damaged"):
        db.from_keras(path)


def test_a_compressed_archive_is_read(tmp_path):
    model = keras_models.dense()
    model.save(tmp_path / "model.keras")
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as stored,
        zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    found = db.from_keras(tmp_path / "packed.keras").weights
    wanted = db.from_keras(tmp_path / "model.keras").weights
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_weights_of_another_model_are_refused(tmp_path):
    keras_models.dense().save_weights(tmp_path / "other.weights.h5")
    other = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Dense(4)])
    (tmp_path / "model.json").write_text(other.to_json())
    with pytest.raises(ConversionError, match="kernel: the file has another shape"):
        db.from_keras(tmp_path / "model.json", weights=tmp_path / "other.weights.h5")
