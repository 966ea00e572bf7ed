"""Predictions written as ONNX give the same numbers in ONNX Runtime."""

from __future__ import annotations

import importlib

import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError
from dnnbridge.formats.onnx.writing.table import NOT_IN_A_PREDICTION, TABLE
from dnnbridge.ops import PRIMITIVES

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
cases = importlib.import_module("convert.onnx_cases")

QUICK = (
    *("Conv2DTranspose", "GRU", "LSTM-mask", "Bidirectional", "TimeDistributed-nested"),
    *("SeparableConv2D", "GroupNormalization", "MultiHeadAttention", "AveragePooling2D"),
)


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def check(run, path, feeds):
    """Compare the written file with the prediction, for the whole batch and for one example."""
    made = session(run.export(path))
    assert [each.name for each in made.get_inputs()] == list(feeds)
    assert [each.name for each in made.get_outputs()] == list(run.experiment.model.output_names)
    for count in (None, 1):
        given = {name: array[:count] for name, array in feeds.items()}
        expected = cases.predicted(run, given)
        assert cases.distance(made.run(None, given), expected) < 1e-5


def test_each_operation_has_a_form_or_a_reason():
    assert TABLE.keys() | NOT_IN_A_PREDICTION.keys() == set(PRIMITIVES)
    assert not TABLE.keys() & NOT_IN_A_PREDICTION.keys()


@pytest.mark.parametrize("name", cases.ZOO)
def test_models_of_the_zoo(name, tmp_path):
    model = cases.ZOO[name]()
    check(cases.run_of(model), tmp_path / "model.onnx", cases.feeds_of(model, 3))


@pytest.mark.slow
def test_a_large_model_of_the_zoo(tmp_path):
    model = db.zoo.resnet18()
    check(cases.run_of(model, "tensorflow"), tmp_path / "model.onnx", cases.feeds_of(model, 2))


@pytest.mark.filterwarnings("ignore::dnnbridge.base.warning.UnadaptedWarning")
@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in cases.LAYER_CASES],
)
def test_layers_of_the_conformance_cases(name, tmp_path):
    layer, arrays = cases.LAYER_CASES[name]
    model, feeds = cases.model_of(layer, arrays)
    check(cases.run_of(model), tmp_path / "model.onnx", feeds)


def small_run(**fields):
    model = db.Sequential([db.Input((6, 6, 2)), db.Conv2D(3, 3, **fields), db.Flatten()])
    return cases.run_of(model)


def test_weights_keep_their_names_and_the_batch_is_open(tmp_path):
    graph = onnx.load(small_run().export(tmp_path / "model.onnx")).graph
    assert {each.name for each in graph.initializer} >= {"conv2d/kernel", "conv2d/bias"}
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [node.op_type for node in graph.node] == ["Transpose", "Conv", "Transpose", "Reshape"]


def test_a_model_with_channels_first_needs_no_transpose(tmp_path):
    layers = [db.Conv2D(4, 3, data_format="channels_first", activation="relu") for _ in range(2)]
    run = cases.run_of(db.Sequential([db.Input((2, 8, 8)), *layers]))
    graph = onnx.load(run.export(tmp_path / "model.onnx")).graph
    assert [node.op_type for node in graph.node] == ["Conv", "Relu", "Conv", "Relu"]


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_a_run_of_a_framework(backend, tmp_path):
    run = cases.run_of(db.Sequential([db.Input((5, 3)), db.LSTM(4), db.Dense(2)]), backend)
    check(run, tmp_path / "model.onnx", cases.feeds_of(run.experiment.model, 3))


def test_a_schedule_has_its_value_at_the_step(tmp_path):
    model = db.Sequential([db.Input((3,)), db.Dropout(db.CosineDecay(0.5, 10)), db.Dense(2)])
    check(cases.run_of(model), tmp_path / "model.onnx", cases.feeds_of(model, 3))


def test_an_input_or_one_value_may_be_several_outputs(tmp_path):
    x = db.Input((3,), name="x")
    y = db.Dense(2, name="y")(x)
    z = db.Activation("linear", name="z")(y)
    model = db.Model(x, [y, z, db.Activation("linear", name="same")(x)])
    heads = [db.Head(name, "mse") for name in model.output_names]
    run = db.compile(db.Experiment(model, heads, db.SGD(0.1)), "reference")
    check(run, tmp_path / "model.onnx", cases.feeds_of(model, 3))


def test_wrong_numbers_are_noticed_and_nothing_is_written(tmp_path, monkeypatch):
    from dnnbridge import ops
    from dnnbridge.formats.onnx.writing import graph

    wrong = {**TABLE, ops.Relu: TABLE[ops.Abs]}
    monkeypatch.setattr(graph, "TABLE", wrong)
    with pytest.raises(ConversionError, match="predicts other numbers than this run"):
        small_run(activation="relu").export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_all_operations_that_are_missing_are_named(tmp_path, monkeypatch):
    from dnnbridge import ops
    from dnnbridge.formats.onnx.writing import graph

    monkeypatch.setattr(graph, "TABLE", {ops.Add: TABLE[ops.Add]})
    with pytest.raises(ConversionError, match=r"2 parts.*\n.*conv2d: .* Conv\b.*\n.*flatten: .* R"):
        small_run().export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
