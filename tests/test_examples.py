"""The examples, in a short form, on every backend."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.datasets import Dataset, adapt_to

EXAMPLES = Path(__file__).parents[1] / "examples"
BACKENDS = ["reference", "tensorflow", "mindspore"]


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images() -> Dataset:
    """Return 400 images of MNIST's shape with ten learnable classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 400)
    x = rng.random((400, 28, 28, 1), np.float32) * 0.3
    x[np.arange(400), 2 * y + 3] += 0.7
    return Dataset("stripes", x, y, x[:100], y[:100])


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch) -> str:
    if request.param != "reference":
        pytest.importorskip(request.param)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", request.param)
    return request.param


def test_mnist_leaky_relu(backend, tmp_path, capsys):
    example = load("mnist_leaky_relu")
    data = adapt_to(example.experiment, images())
    run = example.train(data, 6, tmp_path / "run.safetensors")
    assert run.backend == backend
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in printed] == ["0", "5"]
    assert "batch accuracy" in printed[0]
    again = db.load(tmp_path / "run.safetensors")
    assert again.evaluate(data.x_test, data.y_test) == run.evaluate(data.x_test, data.y_test)
    assert again.progress.step == 6 * 8


def test_mnist_sigmoid(backend):
    example = load("mnist_sigmoid")
    data = adapt_to(example.experiment, images())
    run, history = example.train(data, 2)
    assert data.y_train.shape == (400, 10)
    assert history.history["val_loss"][1] < history.history["val_loss"][0]
    assert run.experiment.optimizer == db.Adam()


@pytest.mark.parametrize("name", ["digits_mlp", "mnist_mlp"])
def test_experiments_of_the_command_line(name):
    assert isinstance(load(name).experiment, db.Experiment)


def test_schedules_table(capsys):
    from rich.console import Console

    Console(width=200).print(load("schedules_table").table())
    printed = capsys.readouterr().out
    assert "0.094868" in printed
    assert "0.073640" in printed
