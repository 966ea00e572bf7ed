"""Models for serving: SavedModel and MindIR give the predictions of the run."""

from __future__ import annotations

import stat

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError


def images():
    layers = [db.Conv2D(4, 3, activation="relu"), db.BatchNormalization(), db.MaxPooling2D(2)]
    return db.Sequential([db.Input((8, 8, 2)), *layers, db.Flatten(), db.Dropout(0.3), db.Dense(3)])


def words():
    layers = [db.Embedding(9, 4), db.LSTM(5), db.Dense(2, "gelu")]
    return db.Sequential([db.Input((6,), dtype="int32"), *layers])


def heads():
    a, b = db.Input((6,), name="second"), db.Input((3,), name="first")
    h = db.Dense(5, "tanh")(db.Concatenate()(a, b))
    return db.Model([a, b], [db.Dense(2, name="left")(h), db.Dense(3, name="right")(h)])


MODELS = {"images": images, "words": words, "heads": heads}


def run_of(name):
    model = MODELS[name]()
    names = model.output_names
    loss = "mse" if len(names) == 1 else [db.Head(each, "mse") for each in names]
    # Only training needs what neither framework has.
    return db.compile(db.Experiment(model, loss, db.Lookahead(db.SGD(0.1)), seed=2), "reference")


def inputs_of(run, rows):
    draw, found = np.random.default_rng(0), {}
    for name, type in run.experiment.model.input_types.items():
        shape = (rows, *type.shape[1:])
        whole = draw.integers(0, 9, shape).astype("int32")
        found[name] = whole if type.dtype == "int32" else draw.normal(size=shape).astype("float32")
    return found


def predicted(run, x):
    found = run.predict(x if len(x) > 1 else next(iter(x.values())))
    return found if isinstance(found, dict) else {run.experiment.model.output_names[0]: found}


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_predicts_as_the_run_does(name, tmp_path):
    tf = pytest.importorskip("tensorflow")
    run = run_of(name)
    path = run.export(tmp_path / "served", format="saved_model")
    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]
    for rows in (1, 5):
        x = inputs_of(run, rows)
        found = serve(**{key: tf.constant(value) for key, value in x.items()})
        wanted = predicted(run, x)
        assert found.keys() == wanted.keys()
        for key in wanted:
            np.testing.assert_allclose(found[key].numpy(), wanted[key], atol=2e-6)
    with pytest.raises(ConversionError, match="exists already"):
        run.export(path, format="saved_model")


@pytest.mark.parametrize("name", MODELS)
def test_a_mindir_file_predicts_as_the_run_does(name, tmp_path):
    ms = pytest.importorskip("mindspore")
    run = run_of(name)
    folder = stat.S_IMODE(tmp_path.stat().st_mode)
    path = run.export(tmp_path / "model.mindir")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == folder
    assert path.stat().st_mode & stat.S_IWUSR
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    graph = ms.nn.GraphCell(ms.load(str(path)))
    for rows in (1, 5):
        x = inputs_of(run, rows)
        found = graph(*map(ms.Tensor, x.values()))
        wanted = predicted(run, x).values()
        for there, here in zip(
            found if isinstance(found, tuple) else (found,), wanted, strict=True
        ):
            np.testing.assert_allclose(there.asnumpy(), here, atol=2e-6)
