"""`from_onnx`, compared with ONNX Runtime."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

import dnnbridge as db
from dnnbridge.errors import ConversionError

onnxruntime = pytest.importorskip("onnxruntime")
graphs = importlib.import_module("convert.onnx_graphs")
cases = importlib.import_module("convert.onnx_cases")
nodes = importlib.import_module("convert.onnx_nodes")
OPERATORS, REFUSED, random, F = nodes.OPERATORS, nodes.REFUSED, nodes.random, nodes.F
Graph, saved, distance, BLOCKS = graphs.Graph, graphs.saved, graphs.distance, graphs.BLOCKS


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_as_torch_writes_them(name, tmp_path):
    path = saved(tmp_path, name)
    _, shape, dtype = BLOCKS[name]
    rng = np.random.default_rng(9)
    x = rng.normal(size=(5, *shape[1:])).astype(np.float32)
    if dtype == TensorProto.INT64:
        x = rng.integers(0, 11, x.shape)
    assert distance(db.from_onnx(path), path, x) < 1e-5


def test_weights_have_the_names_of_the_file_and_are_trained(tmp_path):
    imported = db.from_onnx(saved(tmp_path, "resnet"))
    assert imported.weights["layer1_0_conv1/kernel"].shape == (3, 3, 8, 12)
    run = imported.replace(loss="mse", optimizer=db.SGD(0.1)).compile("reference")
    before = run.state()
    rng = np.random.default_rng(0)
    run.fit(rng.normal(size=(4, 3, 16, 16)).astype("f4"), np.ones((4, 5), "f4"))
    after = run.state()
    assert all(not np.array_equal(before[n], after[n]) for n in imported.weights)


def test_matmul_and_add_are_one_dense(tmp_path):
    imported = db.from_onnx(saved(tmp_path, "mlp"))
    assert [row.here for row in imported.report.layers].count("Dense") == 2
    assert set(imported.weights) == {f"net_{n}/{w}" for n in (0, 2) for w in ("kernel", "bias")}


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "GRU-before", "RNN"])
def test_recurrent_operators_as_torch_writes_them(kind, direction, tmp_path):
    g = Graph()
    path = g.save(tmp_path / "m.onnx", graphs.recurrent(g, kind, direction), x=["n", 5, 3])
    assert distance(db.from_onnx(path), path, random(4, 5, 3)) < 1e-5


def test_recurrent_operators_without_a_counterpart(tmp_path):
    g = Graph()
    y, _, _ = graphs.steps(g, "LSTM", "forward", g("Transpose", "x", perm=[1, 0, 2]), clip=1.0)
    path = g.save(tmp_path / "m.onnx", g("Squeeze", y, g.array([1])), x=["n", 5, 3])
    with pytest.raises(ConversionError, match="LSTM with clip"):
        db.from_onnx(path)


def node(tmp_path, case):
    kind, more, shape, count, opset, attributes = case
    g = Graph()
    inputs = ["x"]
    for number, array in enumerate(more):
        g.arrays[f"w{number}"] = array
        inputs.append(f"w{number}")
    made = g(kind, *inputs, count=count, **attributes)
    return g.save(tmp_path / "node.onnx", made, opset=opset, x=["n", *shape]), shape


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, tmp_path):
    path, shape = node(tmp_path, OPERATORS[name])
    x = np.random.default_rng(5).normal(size=(2, *shape)).astype(F)
    assert distance(db.from_onnx(path), path, x) < 1e-5


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name, tmp_path):
    path, _ = node(tmp_path, REFUSED[name])
    with pytest.raises(ConversionError, match=f"/{REFUSED[name][0]}_0: {REFUSED[name][0]} with"):
        db.from_onnx(path)


def test_all_findings_are_in_one_error(tmp_path):
    g = Graph()
    made = g("Relu", g("Det", g("Relu", g("Sinh", "x"))))
    path = g.save(tmp_path / "m.onnx", made, x=["n", 3, 3])
    with pytest.raises(ConversionError, match=r"2 parts(.|\n)*/Sinh_0(.|\n)*/Det_2"):
        db.from_onnx(path)


def test_constants_of_nodes_are_not_trained(tmp_path):
    g = Graph()
    value = numpy_helper.from_array(random(4, 1, 1))
    y = g("Add", g("Mul", "x", g("Constant", value=value)), g.weight("bias", 4, 1, 1))
    path = g.save(tmp_path / "m.onnx", y, x=["n", 4, 2, 2])
    imported = db.from_onnx(path)
    assert set(imported.fields["frozen"]) == {"Mul_1/kernel", "Add_2/kernel"}
    run = imported.replace(loss="mse", optimizer=db.SGD(0.1)).compile("reference")
    run.fit(random(4, 4, 2, 2), random(4, 4, 2, 2))
    moved = {n for n, a in imported.weights.items() if not np.array_equal(a, run.state()[n])}
    assert moved == {"Add_2/bias"}


def test_a_layer_that_is_called_twice_is_shared(tmp_path):
    g = Graph()
    w, b = g.weight("fc.weight", 4, 4), g.weight("fc.bias", 4)
    path = g.save(tmp_path / "m.onnx", g("Gemm", g("Gemm", "x", w, b), w, b), x=["n", 4])
    assert set(db.from_onnx(path).weights) == {"fc/kernel", "fc/bias"}


def test_the_same_array_in_another_way_is_another_layer(tmp_path):
    g = Graph()
    w = g.weight("fc.weight", 4, 4)
    y = g("Gemm", g("Gemm", "x", w, transB=1), w)
    y = g("Sub", g("Add", y, g.weight("b", 4)), "b")
    y = g("MatMul", y, g("Transpose", w, perm=[1, 0]))
    path = g.save(tmp_path / "m.onnx", g("Sub", "b", y), x=["n", 4])
    assert distance(db.from_onnx(path), path, random(3, 4)) < 1e-5


def test_a_weight_that_is_reshaped_is_trained(tmp_path):
    g = Graph()
    y = g("Mul", "x", g("Unsqueeze", g.weight("block.scale", 3), g.array([1])))
    path = g.save(tmp_path / "m.onnx", y, x=["n", 3, 5])
    imported = db.from_onnx(path)
    assert "frozen" not in imported.fields
    assert set(imported.weights) == {"block/kernel"}


def test_a_batch_of_fixed_size_becomes_open(tmp_path):
    g = Graph()
    y = g("Reshape", "x", g.array([2, 12]))
    path = g.save(tmp_path / "m.onnx", y, x=[2, 3, 4])
    assert db.from_onnx(path).model.output_shape == (None, 12)


def test_a_batch_that_is_moved_must_come_back(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "m.onnx", g("Transpose", "x", perm=[1, 0]), x=["n", 3])
    with pytest.raises(ConversionError, match="an output whose batch is axis 1"):
        db.from_onnx(path)
    g = Graph()
    path = g.save(tmp_path / "m.onnx", g("Softmax", g("Transpose", "x", perm=[1, 0])), x=["n", 3])
    with pytest.raises(ConversionError, match="Softmax with axis 1, which holds the batch"):
        db.from_onnx(path)


def test_a_reshape_may_not_carry_elements_over_the_batch(tmp_path):
    g = Graph()
    y = g("Reshape", g("Transpose", "x", perm=[1, 0, 2]), g.array([2, 0, 12]))
    path = g.save(tmp_path / "m.onnx", g("Transpose", y, perm=[1, 0, 2]), x=["n", 4, 6])
    with pytest.raises(ConversionError, match="mixes the batch"):
        db.from_onnx(path)


def test_a_class_token_is_trained_and_patches_keep_their_own(tmp_path):
    imported = db.from_onnx(saved(tmp_path, "class-token"))
    shapes = {name: a.shape for name, a in imported.weights.items() if name.startswith("token")}
    assert shapes == {"token/kernel": (4, 1), "token/bias": (1, 8)}
    assert imported.fields["frozen"] == ("token/kernel",)


@pytest.mark.parametrize("bound", [0.0, 0.5])
def test_a_choice_that_is_a_relu_is_read_as_one(bound, tmp_path):
    g = Graph()
    y = g("Where", g("Greater", "x", g.number(bound)), "x", g.number(0.0))
    imported = db.from_onnx(g.save(tmp_path / "m.onnx", y, x=["n", 5]))
    kinds = [row.here for row in imported.report.layers]
    assert kinds == ["Activation"]


@pytest.mark.parametrize(
    "equation", ["nabc,nadc->nabd", "nabc,nadc->ndb", "nabc,nadc->nbdac", "nabc,nadb->nacd"]
)
def test_einsum_of_tensors(equation, tmp_path):
    g = Graph()
    kernel = g.weight("proj.weight", 6, 2, 3, 4)
    x = g("Einsum", kernel, "x", equation="cadh,nac->nadh")
    y = g("Einsum", "x", g.weight("other.weight", 6, 3, 4), equation="nac,cdh->nadh")
    if "nadb" in equation:
        y = g("Transpose", y, perm=[0, 1, 3, 2])
    path = g.save(tmp_path / "m.onnx", g("Einsum", x, y, equation=equation), x=["n", 2, 6])
    assert distance(db.from_onnx(path), path, random(3, 2, 6)) < 1e-5


def test_a_batch_merged_with_other_axes_must_come_back(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "m.onnx", g("Reshape", "x", g.array([-1, 6])), x=["n", 4, 6])
    with pytest.raises(ConversionError, match="an output in which the batch is one axis with"):
        db.from_onnx(path)
    g = Graph()
    y = g("Softmax", g("Reshape", "x", g.array([-1, 6])), axis=0)
    path = g.save(tmp_path / "m.onnx", g("Reshape", y, g.array([-1, 4, 6])), x=["n", 4, 6])
    with pytest.raises(ConversionError, match="Softmax with axis 0, which holds the batch"):
        db.from_onnx(path)


@pytest.mark.parametrize("kind", ["MatMul", "LayerNormalization", "ReduceSum"])
def test_nodes_along_the_batch_are_refused(kind, tmp_path):
    g = Graph()
    arrays = {"MatMul": [g.weight("w", 3, 3)], "LayerNormalization": [g.weight("w", 3)]}
    given = arrays.get(kind, [g.array([1])])
    made = g("Transpose", g(kind, g("Transpose", "x", perm=[1, 0]), *given), perm=[1, 0])
    path = g.save(tmp_path / "m.onnx", made, x=["n", 3])
    with pytest.raises(ConversionError, match=f"{kind} with axis 1, which holds the batch"):
        db.from_onnx(path)


def test_a_batch_of_size_1_says_not_where_it_is(tmp_path):
    g = Graph()
    y = g("Relu", g("Reshape", g("Transpose", "x", perm=[1, 0, 2]), g.array([4, 6])))
    path = g.save(tmp_path / "m.onnx", g("Reshape", y, g.array([1, 4, 6])), x=[1, 4, 6])
    with pytest.raises(ConversionError, match="export the model with a dynamic batch"):
        db.from_onnx(path)


def test_an_array_along_the_batch_is_refused(tmp_path):
    g = Graph()
    y = g("Add", g("Reshape", "x", g.array([-1, 6])), g.weight("w", 8, 6))
    path = g.save(tmp_path / "m.onnx", g("Reshape", y, g.array([-1, 4, 6])), x=["n", 4, 6])
    with pytest.raises(ConversionError, match=r"Add with an array of shape \(8, 6\) along the"):
        db.from_onnx(path)


def test_an_open_shape_needs_input_shapes(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "m.onnx", g("Relu", "x"), x=["n", 3, "time"])
    with pytest.raises(ConversionError, match="give input_shapes"):
        db.from_onnx(path)
    for given in ((3, 7), [(3, 7)], {"x": (3, 7)}):
        assert db.from_onnx(path, given).model.output_shape == (None, 3, 7)
    with pytest.raises(ConversionError, match="Its inputs are x"):
        db.from_onnx(path, {"y": (3, 7)})


@pytest.mark.parametrize("name", ["lenet5", "mlp", "resnet_cifar"])
def test_what_run_export_wrote_is_read(name, tmp_path):
    run = cases.run_of(getattr(db.zoo, name)())
    path = run.export(tmp_path / "model.onnx")
    imported = db.from_onnx(path)
    (type_,) = run.experiment.model.input_types.values()
    x = np.random.default_rng(4).normal(size=type_.concrete(2)).astype(F)
    assert distance(imported, path, x) < 1e-5
