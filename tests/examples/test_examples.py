"""The examples, in a short form, on every backend."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from new_process import predictions_elsewhere

import dnnbridge as db
from dnnbridge.datasets import Dataset, adapt_to
from dnnbridge.testing.assertions import assert_close, assert_near

EXAMPLES = Path(__file__).parents[2] / "examples"
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
    assert again.position.step == 6 * 8


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


WANTED: dict[str, object] = {}
"""What each example returned on the reference."""


def on_both(monkeypatch, backend: str, name: str, *given, **more) -> list:
    """Return what an example's `train` returns on the backend and on the reference."""
    example = load(name)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    if name not in WANTED:
        WANTED[name] = example.train(*given, **more)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", backend)
    made = WANTED[name] if backend == "reference" else example.train(*given, **more)
    return [made, WANTED[name]]


def assert_same_weights(run: db.Run, reference: db.Run) -> None:
    for name, array in reference.parameters().items():
        assert_near(run.parameters()[name], array, 1e-5, name)


def test_the_adversaries_train_in_turn(backend, monkeypatch):
    shown = np.clip(np.random.default_rng(0).normal(size=(9, 8, 8, 1)), -1.0, 1.0)
    given = {"steps": 3, "batch_size": 4, "width": 4}
    (run, losses), (reference, wanted) = on_both(monkeypatch, backend, "dcgan", shown, **given)
    assert_close(np.array(losses), np.array(wanted), 1e-5, "losses")
    start = db.compile(run.experiment, "reference").parameters()
    for name, array in reference.parameters().items():
        assert_close(run.parameters()[name], array, 1e-5, name)
        assert (array != start[name]).any(), name


def test_fine_tuning(backend, monkeypatch):
    data = images()
    small = data.x_train[:, ::3, ::3].reshape(400, -1)
    made, wanted = on_both(monkeypatch, backend, "fine_tuning", small, data.y_train, 64)
    for (_, run), (name, reference) in zip(made, wanted, strict=True):
        assert run.backend == backend, name
        assert_same_weights(run, reference)
    stages = dict(wanted)
    first, head, whole = (stages[name].parameters()["body/hidden/kernel"] for name in stages)
    np.testing.assert_array_equal(first, head)
    assert (head != whole).all()


def test_pretraining(backend, monkeypatch):
    data = images()
    small = data.x_train[:, ::3, ::3, 0]
    given = small, data.y_train, 48, (2, 4)
    made, wanted = on_both(monkeypatch, backend, "pretraining", *given)
    for name, reference in wanted.items():
        assert_same_weights(made[name], reference)
    assert "encoder/dense/kernel" in wanted["pre-trained"].transfer.kept


def test_raw_rows(backend, monkeypatch, tmp_path):
    example = load("raw_rows")
    rows, rent = example.table(120)
    run, reference = on_both(monkeypatch, backend, "raw_rows", rows, rent, 4)
    assert_same_weights(run, reference)
    if backend == "tensorflow":
        pytest.importorskip("mindspore")
        path = run.save(tmp_path / "run.safetensors")
        np.savez(path.with_suffix(".npz"), **rows)
        found = predictions_elsewhere(tmp_path, "mindspore")["run"]["prediction"]
        assert_near(found, reference.predict(rows), 2e-5, "another process and backend")
        assert np.ptp(found) > 0.1


def test_initialisation(backend, tmp_path, capsys):
    from rich.console import Console

    example = load("initialisation")
    found = example.look(examples=100)
    Console(width=200).print(example.table(found))
    lines = {
        line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines()[3:-1]
    }
    assert "The signal shrinks" in lines["tanh, tiny"]
    assert "are saturated" in lines["tanh, large"]
    assert "The signal grows" in lines["relu, large"]
    healthy = {name for name, line in lines.items() if "healthy" in line}
    assert healthy == {"tanh, Xavier", "tanh, He", "relu, He"}
    if backend == "reference":
        example.write(dict(list(found.items())[:1]), tmp_path / "new")
        assert (tmp_path / "new" / "tanh-tiny.svg").read_text("utf-8").startswith("<svg")
