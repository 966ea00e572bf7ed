"""Activations written as ONNX are single nodes where ONNX has them, and are read back."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import activations
from dnnbridge.errors import ConversionError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
cases = importlib.import_module("convert.onnx_cases")
graphs = importlib.import_module("convert.onnx_graphs")

NODES = {
    "CELU": (db.CELU(0.7), "Celu"),
    "ELU": (db.ELU(0.7), "Elu"),
    "HardShrink": (db.HardShrink(0.5), "Shrink"),
    "HardSigmoid": (db.HardSigmoid(), "HardSigmoid"),
    "HardSwish": (db.HardSwish(), "HardSwish"),
    "HardTanh": (db.HardTanh(), "Clip"),
    "LeakyReLU": (db.LeakyReLU(0.3), "LeakyRelu"),
    "LogSoftmax": (db.LogSoftmax(2), "LogSoftmax"),
    "PReLU": (db.PReLU(), "PRelu"),
    "PReLU-channels": (db.PReLU(shared_axes=(1, 2)), "PRelu"),
    "PReLU-shared": (db.PReLU(shared=True), "PRelu"),
    "ReLU": (db.ReLU(), "Relu"),
    "ReLU-max_value": (db.ReLU(max_value=0.75), "Clip"),
    "ReLU-threshold": (db.ReLU(threshold=0.25), "ThresholdedRelu"),
    "ReLU6": (db.ReLU6(), "Clip"),
    "SELU": (db.SELU(), "Selu"),
    "Sigmoid": (db.Sigmoid(), "Sigmoid"),
    "SoftShrink": (db.SoftShrink(0.5), "Shrink"),
    "Softmax": (db.Softmax(), "Softmax"),
    "Softplus": (db.Softplus(), "Softplus"),
    "Softsign": (db.Softsign(), "Softsign"),
    "SparseSigmoid": (db.SparseSigmoid(), "HardSigmoid"),
    "Tanh": (db.Tanh(), "Tanh"),
    "Threshold-below-0": (db.Threshold(-0.25, 0.0), "ThresholdedRelu"),
}
"""Activations that are one node, and that node. They are read as they were."""

OTHERS = {
    "Exponential": db.Exponential(),
    "GELU": db.GELU(),
    "GELU-approximate": db.GELU(approximate=True),
    "GLU": db.GLU(),
    "Linear": db.Linear(),
    "LogSigmoid": db.LogSigmoid(),
    "Mish": db.Mish(),
    "ReLU-all": db.ReLU(negative_slope=0.1, max_value=2.0, threshold=0.3),
    "ReLU-negative_slope": db.ReLU(negative_slope=0.1),
    "ReLU-slope-and-max_value": db.ReLU(negative_slope=0.1, max_value=0.6),
    "SiLU": db.SiLU(),
    "SparsePlus": db.SparsePlus(),
    "SquarePlus": db.SquarePlus(),
    "TanhShrink": db.TanhShrink(),
    "Threshold": db.Threshold(0.3, 0.2),
}
"""Activations that are read as other layers, or are several nodes."""


def written(activation, path):
    """Return a run of an activation, and the nodes of its file."""
    run = cases.run_of(db.Sequential([db.Input((3, 5, 4)), db.Activation(activation)]))
    graph = onnx.load(run.export(path)).graph
    return run, [node.op_type for node in graph.node]


def test_every_activation_is_here():
    made = [*(spec for spec, _ in NODES.values()), *OTHERS.values()]
    every = {getattr(activations, name) for name in activations.__all__}
    kinds = {each for each in every if isinstance(each, type)}
    assert {type(each) for each in made} == kinds - {activations.AbstractActivation}


@pytest.mark.parametrize("name", NODES)
def test_one_node_that_is_read_as_it_was(name, tmp_path):
    activation, kind = NODES[name]
    run, kinds = written(activation, tmp_path / "model.onnx")
    assert kinds == [kind]
    feeds = cases.feeds_of(run.experiment.model, 4)
    imported = cases.check_read_back(run, tmp_path / "model.onnx", feeds)
    (node,) = imported.model.nodes
    assert node.layer.activation == activation


@pytest.mark.parametrize("name", OTHERS)
def test_an_activation_without_a_node_is_read_as_its_equation(name, tmp_path):
    run, _ = written(OTHERS[name], tmp_path / "model.onnx")
    cases.check_read_back(run, tmp_path / "model.onnx", cases.feeds_of(run.experiment.model, 4))


@pytest.mark.parametrize("name", NODES)
def test_onnx_runtime_far_from_0_and_at_kinks(name, tmp_path):
    run, _ = written(NODES[name][0], tmp_path / "model.onnx")
    at = [0.0, -0.0, 0.25, -0.25, 0.5, -0.5, 0.75, 1.0, -1.0, 3.0, -3.0, 6.0, 1e-6, -1e-6]
    far = [20.0, -20.0, 1e4, -1e4, 1e30, -1e30]
    values = np.array([at + far] * 3, np.float32).reshape(1, 3, 5, 4)
    (input_name,) = run.experiment.model.input_types
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (made,) = session.run(None, {input_name: values})
    np.testing.assert_allclose(made, run.predict(values), rtol=2e-6, atol=2e-7)


CHANNELS_FIRST = [db.PReLU(), db.PReLU(shared_axes=(1, 2)), db.ELU(), db.ReLU(max_value=0.5)]


@pytest.mark.parametrize("activation", CHANNELS_FIRST, ids=repr)
def test_between_convolutions_no_axes_are_moved(activation, tmp_path):
    layers = [db.Conv2D(3, 2), db.Activation(activation), db.Conv2D(2, 2, activation=activation)]
    run = cases.run_of(db.Sequential([db.Input((6, 5, 2)), *layers]))
    path = run.export(tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds == ["Transpose", "Conv", kinds[2], "Conv", kinds[2], "Transpose"]
    cases.check_read_back(run, path, cases.feeds_of(run.experiment.model, 3))


def operator(kind, path, *more, **attributes):
    g = graphs.Graph()
    return g.save(path / "m.onnx", g(kind, "x", *more, **attributes), x=["n", 4, 3])


READ = {
    "Shrink": ("Shrink", {}, db.HardShrink(0.5)),
    "Shrink-soft": ("Shrink", {"lambd": 0.2, "bias": 0.2}, db.SoftShrink(0.2)),
    "ThresholdedRelu": ("ThresholdedRelu", {}, db.ReLU(threshold=1.0)),
    "ThresholdedRelu-0": ("ThresholdedRelu", {"alpha": 0.0}, db.ReLU()),
    "ThresholdedRelu-below-0": ("ThresholdedRelu", {"alpha": -0.5}, db.Threshold(-0.5, 0.0)),
}


@pytest.mark.parametrize("name", READ)
def test_operators_of_files(name, tmp_path):
    kind, attributes, expected = READ[name]
    (node,) = db.from_onnx(operator(kind, tmp_path, **attributes)).model.nodes
    assert node.layer.activation == expected


def test_a_shrink_with_another_bias_is_refused(tmp_path):
    with pytest.raises(ConversionError, match=r"Shrink with lambd=0\.5, bias=0\.25"):
        db.from_onnx(operator("Shrink", tmp_path, bias=0.25))


def test_a_choice_by_a_bound_is_a_threshold(tmp_path):
    g = graphs.Graph()
    above = g("Greater", "x", g.number(0.3))
    path = g.save(tmp_path / "m.onnx", g("Where", above, "x", g.number(-0.2)), x=["n", 4])
    (node,) = db.from_onnx(path).model.nodes
    assert node.layer.activation == db.Threshold(0.3, -0.2)


RECURRENT = {
    "LSTM": db.LSTM(3, db.LeakyReLU(0.1), "hard_sigmoid", return_sequences=True),
    "GRU": db.GRU(3, db.ELU(0.7), "hard_sigmoid"),
    "GRU-two": db.GRU(3, db.LeakyReLU(0.1), db.ELU(0.7), return_sequences=True),
    "SimpleRNN": db.SimpleRNN(3, "softplus", go_backwards=True),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_activations_of_recurrent_layers(name, tmp_path):
    layer = RECURRENT[name]
    run = cases.run_of(db.Sequential([db.Input((4, 3)), layer]))
    path = run.export(tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert {"LSTM", "GRU", "RNN"} & set(kinds)
    feeds = cases.feeds_of(run.experiment.model, 3)
    theirs = onnxruntime.InferenceSession(path).run(None, feeds)
    assert cases.distance(theirs, cases.predicted(run, feeds)) < 1e-5
    imported = cases.check_read_back(run, path, feeds)
    (made,) = [n.layer for n in imported.model.nodes if isinstance(n.layer, type(layer))]
    assert made.activation == layer.activation
    if not isinstance(layer, db.SimpleRNN):
        assert made.recurrent_activation == layer.recurrent_activation


def test_an_activation_of_a_recurrent_node_without_a_counterpart(tmp_path):
    g = graphs.Graph()
    x, names = g("Transpose", "x", perm=[1, 0, 2]), ["HardSigmoid", "Tanh"]
    y, _ = graphs.steps(g, "GRU", "forward", x, activations=names, activation_alpha=[0.25])
    path = g.save(tmp_path / "m.onnx", g("Squeeze", y, g.array([1])), x=["n", 5, 3])
    with pytest.raises(ConversionError, match=r"GRU with activations=.*Hard.*alpha=\(0\.25,\)"):
        db.from_onnx(path)
