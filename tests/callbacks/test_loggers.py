"""`CSVLogger`, `TensorBoard`, MLflow and Weights & Biases: what they write."""

from __future__ import annotations

import csv
import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import PackageNotInstalledError

runs = importlib.import_module("callbacks.runs")
X, Y, make = runs.X, runs.Y, runs.make


def test_a_csv_file_is_that_of_keras(tmp_path):
    keras = pytest.importorskip("keras")
    run, theirs = make(), keras.callbacks.CSVLogger(str(tmp_path / "keras.csv"), separator=";")
    ours = db.CSVLogger(tmp_path / "ours.csv", separator=";")
    history = run.fit(X, Y, 8, 4, (X, Y), validation_freq=2, callbacks=[ours], verbose=0)
    theirs.set_model(SimpleNamespace(stop_training=False))
    theirs.on_train_begin()
    for row in history.rows():
        theirs.on_epoch_end(row.pop("epoch"), row)
    theirs.on_train_end()
    text = (tmp_path / "ours.csv").read_text()
    assert text == (tmp_path / "keras.csv").read_text()
    assert text.startswith("epoch;loss;mean_absolute_error;val_loss;val_mean_absolute_error\n")
    assert ";NA;NA\n" in text


def epochs(path):
    return [row["epoch"] for row in csv.DictReader(path.read_text().splitlines())]


def test_a_csv_file_goes_on(tmp_path):
    run, path = make(), tmp_path / "log.csv"
    for _ in range(2):
        run.fit(X, Y, 8, 2, callbacks=[db.CSVLogger(path, append=True)], verbose=0)
    assert epochs(path) == ["0", "1", "2", "3"]
    run.fit(X, Y, 8, 1, callbacks=[db.CSVLogger(path)], verbose=0)
    assert epochs(path) == ["4"]


def events(folder):
    """Return the scalars, the tags of histograms and the graphs of event files, read by TF."""
    tf = pytest.importorskip("tensorflow")
    scalars, histograms, graphs = {}, set(), []
    for file in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            if event.graph_def:
                graphs.append(event.graph_def)
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
                if value.HasField("histo"):
                    histograms.add(value.tag)
    return scalars, histograms, graphs


def test_event_files(tmp_path):
    tensorflow = pytest.importorskip("tensorflow")
    run = make()
    board = db.TensorBoard(tmp_path, histogram_freq=1, update_freq=2, write_steps_per_second=True)
    history = run.fit(X, Y, 8, 3, (X, Y), callbacks=[board], verbose=0)
    scalars, histograms, graphs = events(tmp_path / "train")
    for name in ("loss", "mean_absolute_error"):
        steps, values = zip(*scalars[f"epoch_{name}"], strict=True)
        assert steps == (0, 1, 2)
        np.testing.assert_allclose(values, history.history[name], rtol=1e-6)
    assert [value for _, value in scalars["epoch_learning_rate"]] == pytest.approx([0.05] * 3)
    assert [step for step, _ in scalars["batch_loss"]] == [2, 4, 6, 8]
    assert all(value > 0 for _, value in scalars["epoch_steps_per_second"])
    assert histograms == {f"{name}/histogram" for name in run.weights()}
    graph = tensorflow.compat.v1.GraphDef.FromString(graphs[0])
    assert [(node.op, list(node.input)) for node in graph.node][1:3] == [
        ("Dense", ["x"]),
        ("BatchNormalization", ["dense"]),
    ]
    scalars, _, _ = events(tmp_path / "validation")
    _, values = zip(*scalars["epoch_loss"], strict=True)
    np.testing.assert_allclose(values, history.history["val_loss"], rtol=1e-6)


class Service:
    """Stands for the module of a service, and notes all calls of its functions."""

    def __init__(self):
        self.calls, self.run = [], None
        self.config = SimpleNamespace(update=lambda facts, **_: self.calls.append(facts))

    def active_run(self):
        return self.run

    def __getattr__(self, name):
        return lambda *given, **named: self.calls.append((name, *given, *named.items()))


def test_mlflow_gets_metrics_and_the_spec(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", service := Service())
    run = make()
    history = run.fit(X, Y, 8, 2, callbacks=[db.MlflowCallback()], verbose=0).rows()
    begin, facts, spec, *metrics, end = service.calls
    assert (begin, end) == (("start_run",), ("end_run", "FINISHED"))
    assert facts[1]["backend"] == "reference"
    assert db.Experiment.from_json(spec[1]) == run.experiment
    assert [call[2] for call in metrics] == [("step", 1), ("step", 2)]
    assert metrics[1][1] == {
        "loss": history[1]["loss"],
        "mean_absolute_error": history[1]["mean_absolute_error"],
        "learning_rate": 0.05,
    }


def test_weights_and_biases_gets_metrics(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", service := Service())
    history = make().fit(X, Y, 8, 2, callbacks=[db.WandbMetricsLogger()], verbose=0).rows()
    begin, facts, *logs = service.calls
    assert begin == ("init",)
    assert facts["device"] == "cpu"
    assert [call[1]["epoch/loss"] for call in logs] == [row["loss"] for row in history]


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_service_that_is_not_installed(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    cls = db.MlflowCallback if name == "mlflow" else db.WandbMetricsLogger
    with pytest.raises(PackageNotInstalledError, match=f"pip install {name}"):
        cls()
