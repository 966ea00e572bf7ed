"""Damaged ONNX files, and predictions that differ: `from_onnx` refuses them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import dnnbridge as db
from dnnbridge.errors import ConversionError

pytest.importorskip("onnxruntime")
graphs = importlib.import_module("convert.onnx_graphs")
Graph, saved, distance = graphs.Graph, graphs.saved, graphs.distance


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
    for name, message in (("a", "not an ONNX file"), ("b", "not an ONNX"), ("c", "does not exist")):
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
    for protobuf in ("python", "upb"):  # MindSpore chooses the first for its process
        code = f"import dnnbridge as db; db.from_onnx({str(path)!r})"
        env = os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": protobuf}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert "ConversionError: " in done.stderr, done.stderr
        assert "not UTF-8" in done.stderr


def test_arrays_in_another_file(tmp_path):
    path = saved(tmp_path, "mlp")
    x = np.random.default_rng(2).normal(size=(3, 4)).astype(np.float32)
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
