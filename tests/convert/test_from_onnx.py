"""`from_onnx`, compared with ONNX Runtime."""

from __future__ import annotations

import importlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

import dnnbridge as db
from dnnbridge.errors import ConversionError

onnxruntime = pytest.importorskip("onnxruntime")
graphs = importlib.import_module("convert.onnx_graphs")
cases = importlib.import_module("convert.onnx_cases")
Graph = graphs.Graph

BLOCKS = {
    "resnet": (graphs.resnet, ["n", 3, 16, 16], TensorProto.FLOAT),
    "mlp": (graphs.mlp, ["n", 4], TensorProto.FLOAT),
    "mobilenet": (graphs.mobilenet, ["n", 4, 6, 6], TensorProto.FLOAT),
    "transformer": (graphs.transformer, ["n", 6], TensorProto.INT64),
}


def saved(tmp_path, name):
    build, shape, dtype = BLOCKS[name]
    g = Graph()
    return g.save(tmp_path / f"{name}.onnx", build(g), x=shape, dtype=dtype)


def distance(imported, path, x):
    """Return how far the prediction is from that of ONNX Runtime."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: x})
    names = imported.model.output_names
    loss = "mse" if len(names) == 1 else [db.Head(name, "mse") for name in names]
    made = (
        imported.replace(loss=loss, optimizer="sgd")
        .compile("reference")
        .predict(x.astype(np.int32) if x.dtype.kind == "i" else x)
    )
    return cases.distance(list(made.values()) if isinstance(made, dict) else [made], expected)


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


def one(kind, *more, shape=(4, 6, 6), outputs=1, opset=17, **attributes):
    """Return a case: a node on an input, with arrays as further inputs."""
    return kind, more, shape, outputs, opset, attributes


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


F = np.float32
RNG = np.random.default_rng(3)


def random(*shape):
    return RNG.normal(size=shape).astype(F)


WINDOW = {"kernel_shape": [3, 3], "strides": [2, 2]}
OPERATORS = {
    "Conv-1D": one("Conv", random(6, 4, 3), shape=(4, 9), pads=[2, 1], dilations=[2]),
    "Conv-3D": one("Conv", random(6, 2, 2, 2, 2), shape=(2, 4, 4, 4), strides=[1, 2, 1]),
    "Conv-groups": one("Conv", random(6, 2, 3, 3), random(6), group=2, pads=[0, 1, 2, 3]),
    "Conv-twofold": one("Conv", random(8, 1, 3, 3), group=4),
    "Conv-lower": one("Conv", random(5, 4, 2, 2), auto_pad="SAME_LOWER", strides=[2, 1]),
    "Conv-upper": one("Conv", random(5, 4, 2, 2), auto_pad="SAME_UPPER"),
    "ConvTranspose": one(
        "ConvTranspose",
        random(4, 3, 3, 2),
        random(3),
        strides=[2, 3],
        pads=[1, 0, 0, 1],
        output_padding=[1, 0],
    ),
    "ConvTranspose-short": one("ConvTranspose", random(4, 3, 1, 1), strides=[2, 2]),
    "MaxPool": one("MaxPool", pads=[1, 0, 1, 1], ceil_mode=1, **WINDOW),
    "MaxPool-dilated": one("MaxPool", kernel_shape=[2, 2], dilations=[2, 3]),
    "AveragePool": one("AveragePool", pads=[1, 1, 1, 1], **WINDOW),
    "AveragePool-counted": one("AveragePool", pads=[1, 0, 1, 0], count_include_pad=1, **WINDOW),
    "GlobalMaxPool": one("GlobalMaxPool"),
    "InstanceNormalization": one("InstanceNormalization", random(4), random(4)),
    "LayerNormalization": one("LayerNormalization", random(6, 6), random(6, 6), axis=2),
    "Celu": one("Celu", alpha=0.7),
    "Elu": one("Elu", alpha=0.7),
    "Gelu": one("Gelu", opset=20),
    "Gelu-tanh": one("Gelu", opset=20, approximate="tanh"),
    "HardSigmoid": one("HardSigmoid", alpha=0.3, beta=0.4),
    "Mish": one("Mish", opset=18),
    "PRelu-channels": one("PRelu", random(4, 1, 1)),
    "PRelu-shared": one("PRelu", random(1)),
    "Selu": one("Selu"),
    "Softplus": one("Softplus"),
    "Softsign": one("Softsign"),
    "Softmax-channels": one("Softmax", axis=1),
    "Softmax-old": one("Softmax", axis=3, opset=11),
    "Clip": one("Clip", F(-0.5), F(0.25)),
    "Add-array": one("Add", random(4, 1, 1)),
    "Add-constant-plane": one("Add", random(1, 1, 6, 6)),
    "Sub-array": one("Sub", random(4, 1, 6)),
    "Mul-array": one("Mul", random(1, 4, 1, 1)),
    "Mul-last": one("Mul", random(6)),
    "Div-array": one("Div", random(6) + F(3)),
    "Pow": one("Pow", F(3)),
    "Max": one("Max", F(0.1)),
    "Min": one("Min", F(0.1)),
    "ReduceMean": one("ReduceMean", axes=[-1, 2], keepdims=0),
    "ReduceSum": one("ReduceSum", np.array([1])),
    "ReduceMax": one("ReduceMax", axes=[3]),
    "Reshape": one("Reshape", np.array([0, -1, 9])),
    "Reshape-whole": one("Reshape", np.array([-1, 144])),
    "Flatten": one("Flatten"),
    "Transpose": one("Transpose", perm=[0, 2, 3, 1]),
    "Squeeze": one("Squeeze", np.array([-1]), shape=(4, 1, 1)),
    "Unsqueeze": one("Unsqueeze", np.array([-1, 1])),
    "Slice": one("Slice", *map(np.array, ([-4, 5], [99, -99], [2, 3], [2, -2]))),
    "Split": one("Split", np.array([1, 3]), outputs=2, axis=1),
    "Gather-one": one("Gather", np.array(-1), axis=2),
    "Gather-some": one("Gather", np.array([3, 0, 0]), axis=1),
    "Pad": one("Pad", np.array([0, 0, 1, 2, 0, 0, 3, 0])),
    "Pad-channels": one("Pad", np.array([0, 1, 0, 0, 0, 2, 0, 1])),
    "Dropout": one("Dropout"),
}


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


REFUSED = {
    "axis": one("ReduceMean", axes=[0]),
    "batch": one("Slice", np.array([0]), np.array([1]), np.array([0])),
    "reflect": one("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode="reflect"),
    "merged": one("Reshape", np.array([-1, 36])),
    "group": one("ConvTranspose", random(4, 3, 3, 3), group=2),
    "no counterpart": one("Det", shape=(4, 4)),
}


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
    with pytest.raises(ConversionError, match="Softmax with a batch that is not the first"):
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


def changed(tmp_path, change):
    path = saved(tmp_path, "mlp")
    model = onnx.load(path)
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    return path


def _less_data(graph):
    graph.initializer[0].raw_data = graph.initializer[0].raw_data[:-4]


def _huge(graph):
    graph.initializer[0].dims[0] = 10**12


def _cycle(graph):
    graph.node[0].input[0] = graph.node[1].output[0]


def _twice(graph):
    graph.node[1].output[0] = graph.node[0].output[0]


def _external(graph):
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")


def _lost(graph):
    graph.output[0].name = "nothing"


DAMAGED = {
    "need": _less_data,
    "numbers do not fit": _huge,
    "no node before it": _cycle,
    "made twice": _twice,
    "outside the folder": _external,
    "no node makes an output": _lost,
}


@pytest.mark.parametrize("message", DAMAGED)
def test_damaged_files(message, tmp_path):
    path = changed(tmp_path, DAMAGED[message])
    with pytest.raises(ConversionError, match=message):
        db.from_onnx(path)


def test_other_files(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"\x00not a model" * 9)
    (tmp_path / "b.onnx").write_bytes(b"")
    for name, message in (("a", "not an ONNX file"), ("b", "not an ONNX"), ("c", "no such file")):
        with pytest.raises(ConversionError, match=message):
            db.from_onnx(tmp_path / f"{name}.onnx")


def test_bytes_that_were_changed(tmp_path):
    whole = saved(tmp_path, "mlp").read_bytes()
    path, rng = tmp_path / "m.onnx", np.random.default_rng(1)
    refused = 0
    for number in range(60):
        content = bytearray(whole)
        content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(content[: rng.integers(len(content))] if number % 4 == 0 else content)
        try:
            db.from_onnx(path)
        except ConversionError:
            refused += 1
    assert refused > 20


def test_texts_that_are_not_utf8(tmp_path):
    path = saved(tmp_path, "mlp")
    path.write_bytes(path.read_bytes().replace(b"net.0.weight", b"net.0.w\xffight"))
    with pytest.raises(ConversionError, match="not UTF-8"):
        db.from_onnx(path)


def test_arrays_in_another_file(tmp_path):
    path = saved(tmp_path, "mlp")
    x = random(3, 4)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert distance(db.from_onnx(path), path, x) < 1e-5
    (tmp_path / "w.bin").write_bytes(b"")
    with pytest.raises(ConversionError, match="too short"):
        db.from_onnx(path)


def test_small_arrays_that_would_become_huge(tmp_path):
    g = Graph()
    big = g("ConstantOfShape", g.array([10**6, 10**6]))
    path = g.save(tmp_path / "m.onnx", g("Add", "x", big), x=["n", 4])
    with pytest.raises(ConversionError, match="elements that is computed"):
        db.from_onnx(path)


def test_another_prediction_is_an_error(tmp_path, monkeypatch):
    path = saved(tmp_path, "mlp")
    table = importlib.import_module("dnnbridge.formats.onnx.reading.table")
    monkeypatch.setitem(table.RULES, "LeakyRelu", table.RULES["Relu"])
    with pytest.raises(ConversionError, match=r"a difference of \d\.\de"):
        db.from_onnx(path)


def test_without_onnx_runtime_the_reference_of_onnx_is_asked(tmp_path, monkeypatch):
    path = saved(tmp_path, "mlp")
    comparing = importlib.import_module("dnnbridge.formats.onnx.reading.comparing")
    monkeypatch.setattr(comparing, "runtime", lambda: None)
    assert len(db.from_onnx(path).weights) == 4
    table = importlib.import_module("dnnbridge.formats.onnx.reading.table")
    monkeypatch.setitem(table.RULES, "LeakyRelu", table.RULES["Relu"])
    with pytest.raises(ConversionError, match="a difference"):
        db.from_onnx(path)
