"""`dnnbridge report`: the page of a checkpoint or a CSV file; each mistake gives one clear line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import dnnbridge as db
from dnnbridge.cli import main
from dnnbridge.datasets import load_dataset

PARTS = ("Gradient flow", "Confusion matrix", "Worst examples")


def call(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, args)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint, run.safetensors, and log.csv."""
    folder = tmp_path_factory.mktemp("trained")
    digits = load_dataset("digits")
    model = db.Sequential([db.Input((64,)), db.Dense(10)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1), ["accuracy"]), "reference")
    hooks = [db.CSVLogger(folder / "log.csv")]
    x = digits.x_train.reshape(-1, 64)
    run.fit(x, digits.y_train, epochs=2, validation_split=0.2, callbacks=hooks, verbose=0)
    run.save(folder / "run.safetensors")
    return folder


def titles(path: Path) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", path.read_text("utf-8"))


@pytest.mark.parametrize("name", ["run.safetensors", "log.csv"])
def test_a_page_is_written_beside_you_by_default(trained, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(trained / name)
    assert result.exit_code == 0, result.output
    page = tmp_path / Path(name).with_suffix(".html")
    assert f"Report: {page.name}" in result.output
    assert "Curves" in titles(page)
    assert "Not on this page" in titles(page)
    assert not set(PARTS) & set(titles(page))


@pytest.mark.parametrize("backend", ["reference", "tensorflow"])
def test_with_data_the_page_has_everything(trained, tmp_path, backend):
    if backend != "reference":
        pytest.importorskip(backend)
    page = tmp_path / "page.html"
    found = ("--data", "digits", "--backend", backend, "-o", page)
    result = call(trained / "run.safetensors", *found)
    assert result.exit_code == 0, result.output
    assert set(PARTS) <= set(titles(page))
    assert "Not on this page" not in titles(page)
    text = page.read_text("utf-8")
    assert text.count("<img src=") == 12  # the model gets vectors, the page shows the images
    assert f"<dd>{backend} on cpu</dd>" in text
    assert "<dt>Trained on</dt><dd>reference</dd>" in text
    assert "359 examples: loss" in text


def test_a_file_of_examples_is_data_too(trained, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 64)).astype(np.float32), rng.integers(0, 10, 40)
    np.savez(tmp_path / "own.npz", x=x, y=y)
    page = tmp_path / "page.html"
    given = ("--data", tmp_path / "own.npz", "--backend", "reference", "-o", page)
    result = call(trained / "run.safetensors", *given)
    assert result.exit_code == 0, result.output
    assert "own.npz, its test part" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("no.safetensors",), 2, "'no.safetensors' does not exist"),
        (("log.csv", "--data", "digits"), 1, "examples need weights, which a CSV file"),
        (("run.safetensors", "--data", "digit"), 1, "Did you mean 'digits'"),
        (("run.safetensors", "--data", "digits", "--backend", "torch"), 1, "torch"),
        (("run.safetensors", "-o", "none/page.html"), 1, "output: cannot be written"),
        (("wrong.safetensors",), 1, "wrong.safetensors: cannot be read as safetensors"),
        (("wrong.csv",), 1, "wrong.csv: is no CSV file of losses and metrics"),
        (("model.keras",), 1, "Keras"),
        ((".",), 2, "is a directory"),
    ],
    ids=[
        "missing",
        "csv-data",
        "data",
        "backend",
        "folder",
        "damaged",
        "csv",
        "keras",
        "directory",
    ],
)
def test_a_mistake_is_one_line(trained, tmp_path, monkeypatch, words, status, message):
    monkeypatch.chdir(tmp_path)
    for name in ("run.safetensors", "log.csv"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    for name in ("wrong.safetensors", "wrong.csv", "model.keras"):
        (tmp_path / name).write_text("nothing")
    before = {path.name for path in tmp_path.iterdir()}
    result = call(*words)
    assert result.exit_code == status, result.output
    assert message in result.output
    assert {path.name for path in tmp_path.iterdir()} == before
