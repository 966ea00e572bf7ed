"""Runs as plain Python files of Keras: the losses and predictions of the run, without dnnbridge."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError
from dnnbridge.formats.source.expressions import WIDTH

keras = pytest.importorskip("keras")
keras_models = pytest.importorskip("convert.keras_models")
tool = pytest.importorskip("keras_arguments")

ROWS = 12
FORMAT = "python-tensorflow"

ALONE = """
import importlib.util, json, pathlib, sys
import keras
import numpy as np
sys.modules["dnnbridge"] = None
found = {}
for folder in map(pathlib.Path, sys.argv[1:]):
    spec = importlib.util.spec_from_file_location("model_tf", folder / "model_tf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = np.load(folder / "data.npz")
    x, y = ([data[n] for n in sorted(data) if n[0] == c] for c in "xy")
    x, y = (each[0] if len(each) == 1 else each for each in (x, y))
    model = module.load_model()
    before = [np.asarray(each) for each in keras.tree.flatten(model(x))]
    losses = module.train(x, y, batch_size=5, epochs=2, model=model)
    found[folder.name] = losses, [each.tolist() for each in before]
print(json.dumps(found))
"""


def sequence(optimizer, *, layers=(), loss=None, **fields):
    model = db.Sequential([db.Input((6,)), *layers, db.Dense(5, "tanh"), db.Dense(4)])
    loss = loss or db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, optimizer, metrics=["accuracy"], seed=7, **fields)


def heads():
    a, b = db.Input((6,), name="a"), db.Input((6,), name="b")
    h = db.Dense(5, "tanh", name="build_model")(a * 2.0 - b)
    model = db.Model([a, b], [db.Dense(2, name="left")(h), 1.0 - db.Dense(3, name="np")(h)])
    losses = [db.Head(name, "mse") for name in model.output_names]
    return db.Experiment(model, losses, db.Adam(0.01), seed=3)


def words():
    model = db.Sequential(
        [db.Input((5,), dtype="int32"), db.Embedding(7, 6), db.Flatten(), db.Dense(4)]
    )
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.Adam(0.05))


OURS = {
    "schedule": lambda: sequence(db.Adam(db.CosineDecay(0.05, 8))),
    "steps": lambda: sequence(db.Adam(db.PiecewiseConstant.keras((2, 5), (0.1, 0.05, 0.01)))),
    "momentum": lambda: sequence(db.SGD(0.05, momentum=0.9), gradients=[db.ClipByNorm(0.5)]),
    "average": lambda: sequence(db.ExponentialMovingAverage(db.RMSprop(0.01), 0.9)),
    "frozen": lambda: sequence(
        db.AdamW.keras(0.01), layers=[db.Dense(6, name="still")], frozen=["still/*"]
    ),
    "heads": heads,
    "repeated words": words,
}


def data_of(run):
    """Return inputs and labels of a run as arrays by x0, …, y0, …"""
    draw = np.random.default_rng(1)
    model, found = run.experiment.model, {}
    for i, type in enumerate(model.input_types.values()):
        shape = (ROWS, *type.shape[1:])
        whole = "int" in type.dtype
        found[f"x{i}"] = draw.integers(0, 3, shape) if whole else draw.normal(size=shape)
    for i, type in enumerate(run._engine.program.outputs.values()):
        shape = (ROWS, *type.shape[1:])
        classes = len(model.output_names) == 1
        found[f"y{i}"] = draw.integers(0, 4, ROWS) if classes else draw.normal(size=shape)
    return {n: a.astype("float32") if a.dtype == float else a for n, a in found.items()}


def fed(run, data):
    x, y = ([data[n] for n in sorted(data) if n[0] == c] for c in "xy")
    names = run.experiment.model.output_names
    return x if len(x) > 1 else x[0], dict(zip(names, y, strict=True)) if len(y) > 1 else y[0]


def written(run, folder):
    """Train a run for an epoch, write it with its data, and return what follows."""
    folder.mkdir()
    data = data_of(run)
    x, y = fed(run, data)
    run.fit(x, y, batch_size=4)
    np.savez(folder / "data.npz", **data)
    path = run.export(folder / "model_tf.py", FORMAT)
    check_text(path.read_text())
    outputs = run.predict(x)
    run.fit(x, y, batch_size=5, epochs=2)
    return run.history.step_losses, list(outputs.values()) if isinstance(outputs, dict) else [
        outputs
    ]


def check_text(text):
    assert (
        max(map(len, text.splitlines())) <= WIDTH + 20
    )  # what follows a broken call is not broken
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("pathlib", "keras")
        if isinstance(node, ast.Import):
            assert {n.name for n in node.names} < {"hashlib", "keras", "numpy", "tensorflow"}


def compare(runs, folder):
    wanted = {name: written(run, folder / name) for name, run in runs.items()}
    command = [sys.executable, "-c", ALONE, *(str(folder / name) for name in runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, (losses, outputs) in json.loads(done.stdout.splitlines()[-1]).items():
        np.testing.assert_allclose(losses, wanted[name][0], rtol=1e-5, atol=1e-6, err_msg=name)
        for found, here in zip(outputs, wanted[name][1], strict=True):
            scale = max(np.abs(here).max(), 1e-30)
            assert np.abs(np.asarray(found) - here).max() < 1e-5 * scale, name


def test_the_file_trains_on_as_the_run_does(tmp_path):
    compare({name: db.compile(make(), "reference") for name, make in OURS.items()}, tmp_path)


LEFT_OUT = {"grouped", "looked_up"}
"""The first has a LayerScale, which Keras does not export; the second looks up its numbers."""


@pytest.mark.slow
def test_every_kind_of_layer_is_written(tmp_path):
    runs = {}
    for name, make in keras_models.MODELS.items():
        if name in LEFT_OUT:
            continue
        keras.utils.set_random_seed(0)
        model = keras_models.randomised(make())
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
        runs[name] = db.from_keras(model).compile("reference")
    compare(runs, tmp_path)


def test_metrics_have_the_names_of_the_run(tmp_path):
    metrics = [db.Accuracy(), db.Accuracy(name="hits"), db.TopKCategoricalAccuracy(k=2)]
    metrics.append(db.TopKCategoricalAccuracy(k=3, name="three"))
    model = db.Sequential([db.Input((6,)), db.Dense(4, "softmax")])
    loss = db.CategoricalCrossentropy()
    run = db.compile(db.Experiment(model, loss, "sgd", metrics), "reference")
    path = run.export(tmp_path / "named.py", format="python-tensorflow")
    written = path.read_text("utf-8")
    assert 'keras.metrics.CategoricalAccuracy(name="hits")' in written.replace("'", '"')
    assert 'keras.metrics.TopKCategoricalAccuracy(k=3, name="three")' in written.replace("'", '"')
    assert "keras.metrics.TopKCategoricalAccuracy(k=2)" in written


def test_names_of_a_spec_are_no_code(tmp_path):
    x = db.Input((2,), name="import_os")
    model = db.Model(x, db.Dense(1, name="class")(db.Dense(2, name="layers")(x)))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    path = run.export(tmp_path / "a'); print(1).py", FORMAT)
    check_text(path.read_text())
    assert {p.name for p in tmp_path.iterdir()} == {path.name, "a'); print(1).weights.h5"}


def test_what_keras_lacks_is_named_at_once(tmp_path):
    experiment = sequence(db.Lookahead(db.SGD(0.1)), layers=[db.Dense(4, "prelu", name="odd")])
    with pytest.raises(ConversionError, match=r"(?s)2 parts.*odd: .*optimizer: "):
        db.compile(experiment, "reference").export(tmp_path / "model_tf.py", FORMAT)
    assert not list(tmp_path.iterdir())


def test_a_python_file_needs_the_name_of_its_format(tmp_path):
    with pytest.raises(ConversionError, match=r"unknown format, got 'model\.py'"):
        db.compile(sequence("sgd"), "reference").export(tmp_path / "model.py")


def test_the_table_of_arguments_is_that_of_keras():
    assert Path(tool.TABLE).read_text("utf-8") == tool.written(tool.arguments())
