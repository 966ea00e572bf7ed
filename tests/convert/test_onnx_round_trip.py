"""Models written as ONNX and read back predict the same, and go on training on each backend."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
cases = importlib.import_module("convert.onnx_cases")

REFUSED = {"lstm_classifier": "lstm/Scan: Scan"}
"""Models of the zoo that are not read, and an operator that the error names."""


@pytest.mark.parametrize("name", [name for name in cases.ZOO if name not in REFUSED])
def test_models_of_the_zoo(name, tmp_path):
    run = cases.run_of(cases.ZOO[name]())
    path = run.export(tmp_path / "model.onnx")
    cases.check_read_back(run, path, cases.feeds_of(run.experiment.model, 3))


LARGE = {
    "resnet18": lambda: db.zoo.resnet18((32, 32, 3), 5),
    "resnet50": lambda: db.zoo.resnet50((32, 32, 3), 5),
    "vgg11": lambda: db.zoo.vgg11((32, 32, 3), 5, (16,)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_models_of_the_zoo(name, tmp_path):
    run = cases.run_of(LARGE[name]())
    path = run.export(tmp_path / "model.onnx")
    cases.check_read_back(run, path, cases.feeds_of(run.experiment.model, 2))


@pytest.mark.parametrize("name", REFUSED)
def test_models_of_the_zoo_that_are_refused(name, tmp_path):
    path = cases.run_of(cases.ZOO[name]()).export(tmp_path / "model.onnx")
    with pytest.raises(ConversionError, match=REFUSED[name]):
        db.from_onnx(path)


def test_an_embedding_with_padding_is_one_node(tmp_path):
    model = db.Sequential([db.Input((5,), "int32"), db.Embedding(7, 3, padding_idx=2), db.GRU(2)])
    run = cases.run_of(model)
    path = run.export(tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds == ["Gather", "Transpose", "GRU", "Squeeze"]
    feeds = cases.feeds_of(model, 3)
    assert any(2 in array for array in feeds.values())
    imported = cases.check_read_back(run, path, feeds)
    assert imported.report.layers[0].here == "Embedding"


def trained(imported, backend, x, y):
    """Return the losses of three steps, and the weights after them."""
    run = imported.replace(loss="mse", optimizer=db.Adam(0.01)).compile(backend)
    history = run.fit(x, y, epochs=3, batch_size=len(x))
    return history.step_losses, run.state()


def with_activations():
    layers = [
        *(db.Conv2D(4, 3, activation="selu"), db.BatchNormalization(), db.LeakyReLU(0.1)),
        *(db.MaxPooling2D(2), db.Conv2D(3, 2, activation=db.PReLU(shared_axes=(1, 2)))),
        *(db.Flatten(), db.Dense(6, db.ELU(0.7)), db.Dense(2, "hard_swish")),
    ]
    return db.Sequential([db.Input((8, 8, 2)), *layers])


def test_a_model_that_is_read_trains_alike_on_each_backend(tmp_path):
    model = with_activations()
    imported = db.from_onnx(cases.run_of(model).export(tmp_path / "model.onnx"))
    (x,) = cases.feeds_of(model, 5).values()
    y = np.random.default_rng(6).normal(size=(5, 2)).astype("f4")
    expected, weights = trained(imported, "reference", x, y)
    assert expected[2] < expected[0]
    for backend in ("tensorflow", "mindspore"):
        losses, state = trained(imported, backend, x, y)
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        for name, array in weights.items():
            np.testing.assert_allclose(state[name], array, rtol=1e-3, atol=1e-4, err_msg=name)
