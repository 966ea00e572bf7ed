"""`dnnbridge convert`: what it writes, checks and reports."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import main, verification

tool = pytest.importorskip("conversion_differences")


def convert(*arguments):
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.fixture
def checkpoint(tmp_path):
    model = db.Sequential([db.Input((4,)), db.Dense(5, "tanh"), db.Dense(3, name="head")])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.Adam(0.01), seed=4), "reference")
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(20, 4)).astype("float32"), draw.integers(0, 3, 20)
    run.fit(x, y, batch_size=8)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return run.save(tmp_path / "run.safetensors")


def reported(folder):
    return json.loads((folder / "report.json").read_text())


def test_a_checkpoint_becomes_plain_source_that_trains_on(checkpoint, tmp_path):
    pytest.importorskip("tensorflow")
    out, data = tmp_path / "out", tmp_path / "data.npz"
    options = ("-o", out, "--data", data, "--backend", "reference")
    done = convert(checkpoint, "--to", "tensorflow", *options)
    assert done.exit_code == 0, done.output
    names = {"model.py", "model.weights.h5", "REPORT.md", "report.json"}
    assert {p.name for p in out.iterdir() if p.is_file()} == names
    found = reported(out)
    kinds = [check["what"] for check in found["checks"]]
    assert kinds == [
        "predictions for random numbers",
        "predictions for data.npz",
        "losses of 50 training steps",
    ]
    assert max(check["difference"] for check in found["checks"]) < 1e-5
    assert found["step"] == 3
    assert "adam-epsilon" in {row["id"] for row in found["native_differences"]}
    assert "lamb-weight-decay" not in {row["id"] for row in found["native_differences"]}
    assert "Epsilon of Adam" in (out / "REPORT.md").read_text()


def test_a_check_that_fails_ends_with_status_1(checkpoint, tmp_path, monkeypatch):
    run = db.load(checkpoint, "reference")
    name = next(iter(run.experiment.model.input_types))

    def shifted(path, run):
        return verification.Target(lambda x: [run.predict(x[name]) + 1e-2])

    monkeypatch.setitem(verification.TARGETS, "keras", shifted)
    done = convert(checkpoint, "--to", "keras", "-o", tmp_path, "--backend", "reference")
    assert done.exit_code == 1
    assert "predictions for random numbers: FAILED" in done.output
    checks = reported(tmp_path)["checks"]
    assert [check["failed"] for check in checks] == [True, False]
    assert checks[1]["why"] == "the format only predicts"


def test_a_format_without_a_check_says_so(checkpoint, tmp_path, monkeypatch):
    monkeypatch.delitem(verification.TARGETS, "keras")
    done = convert(checkpoint, "--to", "keras", "-o", tmp_path, "--backend", "reference")
    assert done.exit_code == 0, done.output
    assert "not compared: this format is not run by this command" in done.output


WRONG = {
    "format": (("run.safetensors", "--to", "tflite"), "unknown format"),
    "source": (("data.npz", "--to", "keras"), "cannot be read"),
    "data": (
        ("run.safetensors", "--to", "keras", "--data", "run.safetensors"),
        "cannot be read as .npz",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_one_line(name, checkpoint, tmp_path):
    (source, *options), words = WRONG[name]
    options = [tmp_path / each if each.endswith(".safetensors") else each for each in options]
    done = convert(tmp_path / source, *options, "-o", tmp_path / "out", "--backend", "reference")
    assert done.exit_code == 1
    assert words in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("format", ["keras", "saved_model", "mindir", "mindspore"])
def test_every_format_is_checked(format, checkpoint, tmp_path):
    pytest.importorskip("tensorflow")
    pytest.importorskip("mindspore")
    done = convert(checkpoint, "--to", format, "-o", tmp_path / "out", "--backend", "reference")
    assert done.exit_code == 0, done.output
    trains = format in ("keras", "mindspore")
    compared = [check["difference"] is not None for check in reported(tmp_path / "out")["checks"]]
    assert compared == [True, trains]


def test_a_keras_file_is_compared_with_keras(tmp_path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="scores")])
    model.save(tmp_path / "model.keras")
    out, source = tmp_path / "out", tmp_path / "model.keras"
    done = convert(source, "--to", "keras", "-o", out, "--backend", "reference")
    assert "Give --spec" in done.output
    here = db.Sequential([db.Input((3,)), db.Dense(2)])
    (tmp_path / "spec.json").write_text(db.Experiment(here, "mse", "sgd").to_json())
    options = ("--spec", tmp_path / "spec.json", "--backend", "reference")
    done = convert(source, "--to", "keras", "-o", out, *options)
    assert done.exit_code == 0, done.output
    assert "with Keras as the source: passed" in done.output
    assert reported(out)["layers"][0]["name"] == "scores"


def test_the_table_of_differences_is_that_of_the_page():
    assert tool.TABLE.read_text("utf-8") == tool.table()


def test_weights_of_mindspore_and_a_spec_become_a_keras_model(checkpoint, tmp_path):
    pytest.importorskip("keras")
    run = db.load(checkpoint, "reference")
    run.export(tmp_path / "net.py", "python-mindspore")
    (tmp_path / "spec.json").write_text(run.experiment.to_json())
    out = tmp_path / "out"
    ckpt, spec = tmp_path / "net.ckpt", tmp_path / "spec.json"
    options = ("--to", "keras", "-o", out, "--backend", "reference")
    done = convert(ckpt, "--spec", spec, *options)
    assert done.exit_code == 0, done.output
    rows = {row["name"]: row["here"] for row in reported(out)["layers"]}
    assert rows["head/kernel"] == "head.weight"
    weights = db.from_keras(out / "model.keras").weights
    for name, array in run.weights().items():
        np.testing.assert_array_equal(weights[name], array.astype("float32"))
    assert "without the model" in convert(ckpt, *options).output
    found = db.inspect(ckpt)
    assert found.format == "MindSpore checkpoint"
    assert "head.weight" in {array.name for array in found.arrays}
