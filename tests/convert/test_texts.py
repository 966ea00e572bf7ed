"""Models of texts: from Keras, to Keras, and as files; predictions are compared with Keras."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import main
from dnnbridge.errors import ConversionError
from dnnbridge.formats.source.importing import import_written

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
layers = keras.layers

DRAW = np.random.default_rng(3)
A = DRAW.choice(["a", "b", "ü", "dd", "", "x y"], (20, 2))
B = DRAW.choice(["a", "b", "nein"], (20, 1))
X = {"a": A, "b": B}
Y = DRAW.normal(size=(20, 2)).astype(np.float32)


def keras_model(last="dd"):
    """A model whose lookups have adapted, have a vocabulary, and are in a model inside.

    Args:
        last: the last text of a vocabulary. Keras cannot load its own file if it is empty.
    """
    a, b = (keras.Input((n,), dtype="string", name=name) for n, name in ((2, "a"), (1, "b")))
    counts, masked = layers.StringLookup(output_mode="count"), layers.StringLookup(mask_token="")
    counts.adapt(np.array([["a"], ["a"], ["ü"], ["ü"], [last]]))
    masked.adapt(A)
    inner_in = keras.Input((2,), dtype="string")
    vectors = layers.Flatten()(layers.Embedding(9, 2)(masked(inner_in)))
    inner = keras.Model(inner_in, vectors, name="inner")
    known = layers.StringLookup(vocabulary=["nein", "a"], mask_token="b", output_mode="one_hot")
    h = layers.Concatenate()([counts(a), known(b), inner(a)])
    model = keras.Model([a, b], layers.Dense(2)(h))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def tensors(arrays):
    return [tf.constant(each) for each in arrays.values()]


def own_run():
    a, b = db.Input((2,), "string", "a"), db.Input((1,), "string", "b")
    prepared = [
        db.StringLookup(output_mode="multi_hot").adapt(A)(a),
        db.StringLookup(output_mode="one_hot", mask_token="b").adapt(B)(b),
        db.Flatten()(db.Embedding(9, 2)(db.StringLookup(mask_token="").adapt(A)(a))),
    ]
    model = db.Model([a, b], db.Dense(2)(db.Concatenate()(*prepared)))
    return db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "tensorflow")


@pytest.mark.parametrize("last", ["dd", ""])
def test_texts_of_keras_are_read(tmp_path, last):
    model = keras_model(last)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert "assets/layers/string_lookup/vocabulary.txt" in archive.namelist()
    wanted = np.asarray(model(tensors(X)))
    imported = db.from_keras(tmp_path / "model.keras")
    assert imported.experiment == db.from_keras(model).experiment
    run = imported.compile("reference")
    np.testing.assert_allclose(run.predict(X), wanted, rtol=1e-5, atol=1e-6)
    losses = run.fit(X, Y, 20, 2, shuffle=False, verbose=0).history["loss"]
    data = tf.data.Dataset.from_tensors((tuple(tensors(X)), Y))
    theirs = model.fit(data, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, theirs, rtol=1e-5)


def test_texts_are_written_for_keras(tmp_path):
    run = own_run()
    run.export(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(loaded(tensors(X))), run.predict(X), rtol=1e-6, atol=1e-6)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        entries = json.loads(archive.read("config.json"))["config"]["layers"]
    dtypes = [e["config"]["dtype"] for e in entries if e["class_name"] == "InputLayer"]
    assert dtypes == ["string", "string"]
    again = db.from_keras(tmp_path / "model.keras").compile("reference")
    np.testing.assert_allclose(again.predict(X), run.predict(X), rtol=1e-6, atol=1e-6)
    live = db.to_keras(run)
    np.testing.assert_allclose(np.asarray(live(tensors(X))), run.predict(X), rtol=1e-6, atol=1e-6)


def test_a_sequential_of_texts_goes_both_ways(tmp_path):
    lookup = db.StringLookup(vocabulary=["b", "ü"], output_mode="count")
    model = db.Sequential([db.Input((2,), "string"), lookup, db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    run.export(tmp_path / "model.keras")
    theirs = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(theirs(tf.constant(A))), run.predict(A), rtol=1e-5)
    assert db.from_keras(tmp_path / "model.keras").experiment.model.layers[1] == lookup.replace(
        name="string_lookup"
    )


def test_a_legacy_file_lacks_the_vocabulary(tmp_path):
    model = keras_model()
    (tmp_path / "model.json").write_text(model.to_json())
    with pytest.raises(ConversionError, match=r"StringLookup without its vocabulary, which only"):
        db.from_keras(tmp_path / "model.json")


def test_a_served_model_takes_texts(tmp_path):
    run = own_run()
    run.export(tmp_path / "served", format="saved_model")
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    serve = loaded.signatures["serving_default"]
    signature = serve.structured_input_signature[1]
    assert {name: spec.dtype.name for name, spec in signature.items()} == dict.fromkeys(X, "string")
    (found,) = serve(**{name: tf.constant(each) for name, each in X.items()}).values()
    np.testing.assert_allclose(found.numpy(), run.predict(X), rtol=1e-6, atol=1e-6)


def test_plain_tensorflow_trains_on_texts(tmp_path):
    run = own_run()
    path = run.export(tmp_path / "plain_texts.py", format="python-tensorflow")
    assert "tf.constant(x)" in path.read_text()
    module = import_written(path)
    model = module.load_model()
    found = model.predict(tensors(X), verbose=0)
    np.testing.assert_allclose(found, run.predict(X), rtol=1e-6, atol=1e-6)
    losses = module.train([A, B], Y, batch_size=8, model=model)
    wanted = run.fit(X, Y, 8, 1, verbose=0).step_losses
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("format", "name"),
    [("onnx", "model.onnx"), ("python-mindspore", "model.py"), ("mindir", "model.mindir")],
)
def test_formats_without_texts_say_what_to_do(format, name, tmp_path):
    pytest.importorskip({"onnx": "onnx"}.get(format, "mindspore"))
    with pytest.raises(ConversionError, match=r"2 parts .*\n.*feed it lookup\(texts\)") as caught:
        own_run().export(tmp_path / name, format=format)
    assert "a: an input of texts" in str(caught.value)


def test_what_the_refusal_says_works(tmp_path):
    """A model of numbers, fed by the lookup, predicts as the model of texts."""
    lookup = db.StringLookup().adapt(A)
    rest = [db.Embedding(7, 2), db.Flatten(), db.Dense(1)]
    texts = db.Sequential([db.Input((2,), "string"), lookup, *rest])
    numbers = db.Sequential([db.Input((2,), "int32"), *rest])
    run = db.compile(db.Experiment(texts, "mse", db.SGD(0.1)), "reference")
    other = db.compile(db.Experiment(numbers, "mse", db.SGD(0.1)), "reference")
    other.set_weights(run.weights())
    np.testing.assert_array_equal(run.predict(A), other.predict(lookup(A)))


def test_the_command_compares_files_of_texts(tmp_path):
    """Predictions for texts, and training steps, with the file and with Keras itself."""
    keras_model().save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", y=Y, **X)
    given = ["convert", tmp_path / "model.keras", "--to", "tensorflow", "-o", tmp_path / "out"]
    given += ["--data", tmp_path / "data.npz"]
    done = CliRunner().invoke(main, list(map(str, given)))
    assert not done.exit_code, done.output
    assert done.output.count("passed") == 6, done.output
