"""Checkpoints: complete, atomic, readable by others; bad files are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import dnnbridge as db
from dnnbridge.errors import CheckpointError

X, Y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3


@pytest.fixture
def run():
    model = db.Sequential([db.Input((4,)), db.Dense(3, name="head")])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.Adam(), seed=5), backend="reference")
    run.fit(X, Y, 6, 2)
    return run


def test_the_file_is_plain_safetensors(run, tmp_path):
    run.save(tmp_path / "run.safetensors")
    arrays = load_file(tmp_path / "run.safetensors")
    assert sorted(arrays) == sorted(
        f"head/{name}{slot}" for name in ("kernel", "bias") for slot in ("", ":m", ":v")
    )
    np.testing.assert_array_equal(arrays["head/kernel"], run.parameters()["head/kernel"])


def test_loading_gives_all_back(run, tmp_path):
    run.save(tmp_path / "deep" / "run.safetensors", make_folders=True)
    again = db.load(tmp_path / "deep" / "run.safetensors", backend="reference")
    assert again.experiment == run.experiment
    assert again.position == run.position
    for name, array in run.state().items():
        np.testing.assert_array_equal(again.state()[name], array)


def test_an_interrupted_epoch_is_saved_too(run, tmp_path):
    class Save(db.Callback):
        def on_steps_end(self, run, losses):
            if run.position.batch == 2:
                run.save(tmp_path / "middle.safetensors")

    run.fit(X, Y, 6, 1, callbacks=[Save()], steps_per_call=1)
    again = db.load(tmp_path / "middle.safetensors", backend="reference")
    assert again.position.batch == 2
    again.fit(X, Y, 6, 1)
    np.testing.assert_array_equal(
        again.parameters()["head/kernel"], run.parameters()["head/kernel"]
    )


def test_checkpoint_callback(run, tmp_path):
    run.fit(X, Y, 6, 4, callbacks=[db.Checkpoint(tmp_path / "run-{epoch}.safetensors", every=2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "run-4.safetensors",
        "run-6.safetensors",
    ]


def bad_file(tmp_path, kind, run):
    path = tmp_path / "bad.safetensors"
    if kind == "text":
        path.write_text("hello")
    if kind == "foreign":
        save_file({"a": np.zeros(2)}, path)
    if kind in ("missing_array", "shape", "experiment", "progress"):
        run.save(path)
        arrays = load_file(path)
        metadata = {
            "format": "dnnbridge checkpoint 1",
            "experiment": run.experiment.to_json(),
            "progress": json.dumps({"step": 1}),
        }
        if kind == "missing_array":
            del arrays["head/kernel:m"]
        if kind == "shape":
            arrays["head/kernel"] = np.zeros((4, 4))
        if kind == "progress":
            metadata["progress"] = '{"stp": 1}'
        if kind == "experiment":
            metadata["experiment"] = "{}"
        save_file(arrays, path, metadata)
    return path


BAD = {
    "absent": (CheckpointError, "cannot be read"),
    "text": (CheckpointError, "cannot be read"),
    "foreign": (CheckpointError, "not a checkpoint"),
    "missing_array": (CheckpointError, "head/kernel:m"),
    "shape": (CheckpointError, r"needs shape \(4, 3\)"),
    "experiment": (CheckpointError, "not an experiment"),
    "progress": (CheckpointError, "header is incomplete"),
}


@pytest.mark.parametrize(("kind", "error", "what"), [(k, *v) for k, v in BAD.items()], ids=BAD)
def test_bad_files(kind, error, what, run, tmp_path):
    with pytest.raises(error, match=what):
        db.load(bad_file(tmp_path, kind, run), backend="reference")


NAMES = [
    "m.h5",
    "m.keras",
    "m.ckpt",
    "m.pb",
    "m.onnx",
    "m.npz",
    "m.pt",
    "m.PTH",
    "m.mindir",
    "a.json",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_another_format_is_refused(name, run, tmp_path):
    stem = name.partition(".")[0]
    for call in (run.save, db.Checkpoint):
        with pytest.raises(CheckpointError, match=rf"another format.*Write '{stem}\.safetensors'"):
            call(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["run", "run.safetensors", "run-0.5", "best.model"])
def test_other_names_are_the_users(name, run, tmp_path):
    assert run.save(tmp_path / name) == tmp_path / name


def test_a_missing_folder_costs_no_training(run, tmp_path):
    path = tmp_path / "a" / "run.safetensors"
    step = run.position.step
    with pytest.raises(CheckpointError, match=r"folder does not exist.*make_folders=True"):
        run.save(path)
    with pytest.raises(CheckpointError, match="folder does not exist"):
        run.fit(X, Y, 10, 1, callbacks=[db.Checkpoint(path)])
    assert run.position.step == step
    path = tmp_path / "{epoch}" / "run.safetensors"
    run.fit(X, Y, 10, 1, callbacks=[db.Checkpoint(path, make_folders=True)])
    assert [each.name for each in tmp_path.iterdir()] == ["3"]
