"""`inspect` and `dnnbridge inspect`: what files hold, read without a framework."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

import dnnbridge as db
from dnnbridge.cli import main
from dnnbridge.errors import CheckpointError

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = X[:, :1]


@pytest.fixture(scope="module")
def run():
    model = db.Sequential([db.Input((4,)), db.BatchNormalization(), db.Dense(1)])
    made = db.compile(db.Experiment(model, "mse", db.Adam(0.1), metrics=["mae"]), "reference")
    made.fit(X, Y, 4, 2, validation_data=(X, Y))
    made.fit(X, Y, 4, 8)
    return made


def test_a_checkpoint_shows_spec_arrays_steps_and_logs(run, tmp_path):
    found = db.inspect(run.save(tmp_path / "run.safetensors"))
    assert found.experiment == run.experiment
    roles = {array.name: array.role for array in found.arrays}
    assert roles.keys() == run.state().keys()
    assert roles["dense/kernel"] == "weight"
    assert roles["batch_normalization/moving_mean"] == "buffer"
    assert roles["dense/kernel:m"] == "slot"
    assert found.facts["step"] == "30"
    assert [dict(row) for row in found.logs] == run.logs
    text = str(found)
    for words in ("dense/kernel:v", "slot", "learning_rate=0.1", "2 earlier epochs", "val_loss"):
        assert words in text


def test_logs_of_all_epochs_are_saved_and_go_on(run, tmp_path):
    again = db.load(run.save(tmp_path / "run.safetensors"), "reference")
    assert again.logs == run.logs
    again.fit(X, Y, 4, 1)
    assert [row["epoch"] for row in again.logs] == list(range(11))
    assert "val_loss" in again.logs[0]
    assert "val_loss" not in again.logs[10]


def test_a_keras_file(run, tmp_path):
    found = db.inspect(run.export(tmp_path / "model.keras"))
    assert found.experiment is not None
    assert {a.role for a in found.arrays} == {"weight", "buffer", "slot"}
    assert found.facts["step"] == "30"


def test_files_without_a_spec(tmp_path):
    arrays = {"a": np.zeros((2, 3), "float32"), "b": np.zeros(4, "int64")}
    save_file(arrays, tmp_path / "x.safetensors")
    np.savez(tmp_path / "x.npz", **arrays)
    for name in ("x.safetensors", "x.npz"):
        found = db.inspect(tmp_path / name)
        assert [(a.name, a.role, a.shape, a.bytes) for a in found.arrays] == [
            ("a", "array", (2, 3), 24),
            ("b", "array", (4,), 32),
        ]


def test_the_json_of_an_experiment(run, tmp_path):
    (tmp_path / "spec.json").write_text(run.experiment.to_json())
    assert db.inspect(tmp_path / "spec.json").experiment == run.experiment


def test_the_command_writes_text_or_json(run, tmp_path):
    path = str(run.save(tmp_path / "run.safetensors"))
    text = CliRunner().invoke(main, ["inspect", path]).output
    assert "dense/kernel" in text
    data = json.loads(CliRunner().invoke(main, ["inspect", path, "--json"]).output)
    assert data["facts"]["epoch"] == "10"
    assert len(data["logs"]) == 10


def damaged(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))


def of_objects(path):
    np.savez(path, a=np.array([{}], dtype=object))


BAD = {
    "missing": ("no.npz", lambda path: None, "does not exist"),
    "text": ("notes.txt", lambda path: path.write_text("hello, these are notes"), "no file that"),
    "objects": ("x.npz", of_objects, "damaged, or of another form"),
    "empty": ("x.safetensors", lambda path: path.write_bytes(b""), "no file that"),
    "header": (
        "x.safetensors",
        lambda path: path.write_bytes((20).to_bytes(8, "little") + b"{" + bytes(40)),
        "damaged, or of another form",
    ),
}


@pytest.mark.parametrize(("name", "write", "words"), BAD.values(), ids=BAD)
def test_other_files_are_refused(name, write, words, tmp_path):
    write(tmp_path / name)
    with pytest.raises(CheckpointError, match=words):
        db.inspect(tmp_path / name)


def test_a_damaged_array_is_named(run, tmp_path):
    path = run.save(tmp_path / "run.safetensors")
    damaged(path)
    with pytest.raises(CheckpointError, match="got other values in "):
        db.inspect(path)


def test_an_onnx_file_shows_operators_inputs_and_outputs(tmp_path):
    pytest.importorskip("onnx")
    model = db.Sequential([db.Input((4,), name="features"), db.Dense(3, "relu"), db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    found = db.inspect(run.export(tmp_path / "model.onnx"))
    assert found.format == "ONNX model"
    assert found.facts["opset"] == "ai.onnx 17"
    assert found.facts["inputs"].startswith("features float32 (")
    assert found.facts["inputs"].endswith(", 4)")
    assert found.facts["outputs"].endswith(", 2)")
    assert "Relu 1" in found.facts["operators"].split(", ")
    assert sorted(a.bytes for a in found.arrays) == [8, 12, 24, 48]
    (tmp_path / "damaged.onnx").write_bytes((tmp_path / "model.onnx").read_bytes()[:90])
    with pytest.raises(CheckpointError, match=r"damaged\.onnx: "):
        db.inspect(tmp_path / "damaged.onnx")


def test_a_keras_model_without_a_loss_shows_its_layers(run, tmp_path):
    pytest.importorskip("h5py")
    run.export(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    config.pop("compile_config")
    write_keras(tmp_path / "plain.keras", parts, config)
    found = db.inspect(tmp_path / "plain.keras")
    assert found.facts["without"] == "loss and optimizer"
    assert found.experiment is None
    assert "dense" in str(found)
    assert found.to_dict()["model"]["layers"][-1]["units"] == 1
    config["config"]["layers"][-1]["class_name"] = "Odd"
    write_keras(tmp_path / "odd.keras", parts, config)
    found = db.inspect(tmp_path / "odd.keras")
    assert "Odd" in found.notes[0]
    assert {array.shape for array in found.arrays} >= {(4, 1), (1,)}


def write_keras(path, parts, config):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, json.dumps(config) if name == "config.json" else content)


def test_every_error_is_of_one_class(tmp_path):
    for name in ("a.ckpt", "a.keras", "a.h5", "a.npz", "a.json", "a.onnx", "a.weights.h5"):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\nPK\x05\x06" + bytes(40))
        with pytest.raises(CheckpointError, match=name):
            db.inspect(tmp_path / name)
