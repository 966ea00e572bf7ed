"""ONNX files written node by node, as torch.onnx writes them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import dnnbridge as db
from dnnbridge.base.arrays import Array


class Graph:
    """Nodes and arrays of a graph, which starts with the input "x"."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: list[Any] = []
        self.arrays: dict[str, Array] = {}
        self.random = np.random.default_rng(seed)

    def weight(self, name: str, *shape: int, scale: float = 0.5) -> str:
        """Add a random initializer."""
        self.arrays[name] = (scale * self.random.normal(size=shape)).astype(np.float32)
        return name

    def array(self, value: Any, dtype: Any = np.int64) -> str:
        """Add an initializer with a name that says nothing."""
        name = f"onnx::Array_{len(self.arrays)}"
        self.arrays[name] = np.array(value, dtype)
        return name

    def number(self, value: float) -> str:
        """Add a node with a number."""
        return self("Constant", value=numpy_helper.from_array(np.float32(value)))

    def __call__(self, kind: str, *inputs: str, count: int = 1, **attributes: Any) -> Any:
        """Add a node, and return the name of its result, or the names of its results."""
        number = len(self.nodes)
        names = [f"{kind.lower()}_{number}_{i}" for i in range(count)]
        self.nodes.append(
            helper.make_node(kind, list(inputs), names, name=f"/{kind}_{number}", **attributes)
        )
        return names[0] if count == 1 else names

    def model(
        self, outputs: Any, opset: int = 17, dtype: int = TensorProto.FLOAT, **inputs: Any
    ) -> Any:
        """Return the `ModelProto`; `inputs` are the shapes by name."""
        listed = [outputs] if isinstance(outputs, str) else outputs
        graph = helper.make_graph(
            self.nodes,
            "main",
            [helper.make_tensor_value_info(n, dtype, shape) for n, shape in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in listed],
            [numpy_helper.from_array(a, n) for n, a in self.arrays.items()],
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
        )

    def save(self, path: Path, outputs: Any, **more: Any) -> Path:
        """Write the file."""
        onnx.save(self.model(outputs, **more), path)
        return path


def batch_norm(g: Graph, x: str, name: str, channels: int) -> Any:
    weights = [g.weight(f"{name}.{end}", channels) for end in ("weight", "bias", "running_mean")]
    variance = g.weight(f"{name}.running_var", channels)
    g.arrays[variance] = np.abs(g.arrays[variance]) + 0.5
    return g("BatchNormalization", x, *weights, variance, epsilon=1e-5, momentum=0.9)


def resnet(g: Graph) -> Any:
    """A stem, a block with a convolution in its shortcut, and a classifier."""
    kernel = g.weight("conv1.weight", 8, 3, 3, 3)
    x = g("Conv", "x", kernel, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    x = g("Relu", batch_norm(g, x, "bn1", 8))
    x = g("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    y = g("Conv", x, g.weight("layer1.0.conv1.weight", 12, 8, 3, 3), pads=[1, 1, 1, 1])
    y = g("Relu", batch_norm(g, y, "layer1.0.bn1", 12))
    y = g("Conv", y, g.weight("layer1.0.conv2.weight", 12, 12, 3, 3), pads=[1, 1, 1, 1])
    y = batch_norm(g, y, "layer1.0.bn2", 12)
    down = g.weight("layer1.0.downsample.0.weight", 12, 8, 1, 1)
    y = g("Relu", g("Add", y, g("Conv", x, down, g.weight("layer1.0.downsample.0.bias", 12))))
    y = g("Flatten", g("GlobalAveragePool", y), axis=1)
    return g("Gemm", y, g.weight("fc.weight", 5, 12), g.weight("fc.bias", 5), transB=1)


def mlp(g: Graph) -> Any:
    """Two layers, written as Gemm, and as MatMul and Add."""
    first = g.weight("net.0.weight", 7, 4)
    y = g("Gemm", "x", first, g.weight("net.0.bias", 7), transB=1, alpha=0.5, beta=2.0)
    y = g("LeakyRelu", y, alpha=0.2)
    y = g("MatMul", y, g.weight("onnx::MatMul_12", 7, 3))
    return g("LogSoftmax", g("Add", g.weight("net.2.bias", 3), y), axis=-1)


def mobilenet(g: Graph) -> Any:
    """An inverted residual block: Clip, a depthwise convolution, hard swish, and a gate."""
    y = g("Conv", "x", g.weight("expand.weight", 8, 4, 1, 1), g.weight("expand.bias", 8))
    y = g("Clip", y, g.number(0.0), g.number(6.0))
    deep = g.weight("deep.weight", 8, 1, 3, 3)
    y = g("HardSwish", g("Conv", y, deep, group=8, pads=[1, 1, 1, 1]))
    gate = g("ReduceMean", y, axes=[2, 3], keepdims=1)
    gate = g("HardSigmoid", gate, alpha=1 / 6)
    y = g("Mul", y, gate)
    return g("Add", "x", g("Conv", y, g.weight("project.weight", 4, 8, 1, 1)))


def size(g: Graph, x: str, axis: int) -> Any:
    """Return the size of an axis as an array of one number."""
    number = g("Gather", g("Shape", x), g.array(axis), axis=0)
    return g("Unsqueeze", number, g.array([0]))


def linear(g: Graph, x: str, name: str, inputs: int, units: int) -> Any:
    made = g("MatMul", x, g.weight(f"onnx::MatMul_{len(g.nodes)}", inputs, units))
    return g("Add", g.weight(f"{name}.bias", units), made)


def gelu(g: Graph, x: str) -> Any:
    wave = g("Add", g("Erf", g("Div", x, g.number(2.0**0.5))), g.number(1.0))
    return g("Mul", g("Mul", x, wave), g.number(0.5))


def layer_norm(g: Graph, x: str, name: str, features: int) -> Any:
    """As torch.onnx writes it before opset 17."""
    distance = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    variance = g("ReduceMean", g("Pow", distance, g.number(2.0)), axes=[-1], keepdims=1)
    y = g("Div", distance, g("Sqrt", g("Add", variance, g.number(1e-5))))
    scaled = g("Mul", y, g.weight(f"{name}.weight", features))
    return g("Add", scaled, g.weight(f"{name}.bias", features))


def transformer(g: Graph) -> Any:
    """Words, positions, attention with sizes that are computed, and a feed-forward part."""
    words = g("Gather", g.weight("words.weight", 11, 8), "x")
    x = g("Add", words, g.weight("positions", 1, 6, 8))
    y = layer_norm(g, x, "norm1", 8)
    shape = g("Concat", size(g, y, 0), size(g, y, 1), g.array([2]), g.array([4]), axis=0)
    parts = []
    for name in ("query", "key", "value"):
        heads = g("Reshape", linear(g, y, f"attn.{name}", 8, 8), shape)
        parts.append(g("Transpose", heads, perm=[0, 2, 3, 1] if name == "key" else [0, 2, 1, 3]))
    scores = g("Div", g("MatMul", parts[0], parts[1]), g.number(2.0))
    made = g("MatMul", g("Softmax", scores, axis=-1), parts[2])
    made = g("Transpose", made, perm=[0, 2, 1, 3])
    flat = g("Concat", size(g, made, 0), g.array([-1]), g.array([8]), axis=0)
    x = g("Add", x, linear(g, g("Reshape", made, flat), "attn.out", 8, 8))
    weights = [g.weight("norm2.weight", 8), g.weight("norm2.bias", 8)]
    y = g("LayerNormalization", x, *weights, axis=-1, epsilon=1e-5)
    y = linear(g, gelu(g, linear(g, y, "up", 8, 16)), "down", 16, 8)
    first = g("Gather", g("Add", x, y), g.array(0), axis=1)
    return g("Tanh", linear(g, first, "pooler", 8, 3))


def steps(g: Graph, kind: str, direction: str, x: str, **more: Any) -> Any:
    """Add a recurrent node, and return its results."""
    blocks, sides = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind], 1 + (direction == "bidirectional")
    shape = g("Concat", g.array([sides]), size(g, "x", 0), g.array([4]), axis=0)
    zeros = g("ConstantOfShape", shape)
    weights = [
        g.weight("rnn.weight", sides, blocks * 4, 3),
        g.weight("rnn.recurrent", sides, blocks * 4, 4),
        g.weight("rnn.bias", sides, blocks * 8),
    ]
    states = [zeros] * (2 if kind == "LSTM" else 1)
    more |= {"hidden_size": 4, "direction": direction}
    return g(kind, x, *weights, "", *states, count=2 + (kind == "LSTM"), **more)


def recurrent(g: Graph, kind: str, direction: str) -> Any:
    """All steps and the last ones of a recurrent layer with the batch first."""
    more = {} if kind != "GRU" else {"linear_before_reset": 1}
    x = g("Transpose", "x", perm=[1, 0, 2])
    y, h, *_ = steps(g, kind.split("-")[0], direction, x, **more)
    if direction == "bidirectional":
        y = g("Reshape", g("Transpose", y, perm=[0, 2, 1, 3]), g.array([0, 0, -1]))
    else:
        y = g("Squeeze", y, g.array([1]))
    return g("Transpose", y, perm=[1, 0, 2]), g("Gather", h, g.array(-1), axis=0)


def heads_with_batch(g: Graph, apart: bool = False) -> Any:
    """`torch.nn.MultiheadAttention(8, 2)` of 5 steps, whose heads are one axis with the batch."""
    x = g("Transpose", "x", perm=[1, 0, 2])
    count, both = size(g, x, 1), g("Mul", size(g, x, 1), g.array([2]))
    y = g("Add", g("MatMul", x, g.weight("onnx::MatMul_9", 8, 24)), g.weight("attn.bias", 24))
    y = g("Reshape", y, g("Concat", g.array([5]), count, g.array([3, 8]), axis=0))
    y = g("Transpose", g("Unsqueeze", y, g.array([0])), perm=[3, 1, 2, 0, 4])
    y = g("Squeeze", y, g.array([3]))
    shape = g("Concat", g.array([5]), both, g.array([4]), axis=0)
    parts = []
    for index in range(3):
        part = g("Reshape", g("Gather", y, g.array(index), axis=0), shape)
        part, four = g("Transpose", part, perm=[1, 0, 2]), g.array([2, 5, 4])
        parts.append(g("Reshape", part, g("Concat", count, four, axis=0)) if apart else part)
    query = g("Mul", parts[0], g.number(0.5))
    key = g("Transpose", parts[1], perm=[0, 1, 3, 2] if apart else [0, 2, 1])
    scores = g("Add", g("MatMul", query, key), g.weight("mask", 5, 5))
    y = g("MatMul", g("Softmax", scores, axis=-1), parts[2])
    y = g("Transpose", y, perm=[2, 0, 1, 3] if apart else [1, 0, 2])
    rows = g("Mul", count, g.array([5]))
    y = g("Reshape", y, g("Concat", rows, g.array([8]), axis=0))
    y = g("Gemm", y, g.weight("attn.out.weight", 8, 8), g.weight("attn.out.bias", 8), transB=1)
    y = g("Reshape", y, g("Concat", g.array([5]), count, g.array([8]), axis=0))
    return g("Transpose", y, perm=[1, 0, 2])


def class_token(g: Graph) -> Any:
    """A token before the patches of an image, with the shape that torch computes."""
    y = g("Conv", "x", g.weight("proj.weight", 8, 3, 4, 4), strides=[4, 4])
    y = g("Transpose", g("Reshape", y, g.array([0, 8, -1])), perm=[0, 2, 1])
    shape = g("Concat", size(g, y, 0), g.array([-1]), g.array([-1]), axis=0)
    ones = g("ConstantOfShape", g.array([3]), value=numpy_helper.from_array(np.array([1])))
    minus = g("Mul", ones, g.array(-1))
    wanted = g("Where", g("Equal", shape, minus), ones, shape)
    y = g("Concat", g("Expand", g.weight("token.row", 1, 1, 8), wanted), y, axis=1)
    y = g("Add", y, g.weight("positions", 1, 5, 8))
    return g("Gather", y, g.array(0), axis=1), y


def choices(g: Graph) -> Any:
    """Conditions of tensors, numbers and arrays, and what they choose between."""
    mean = g("ReduceMean", "x", axes=[-1], keepdims=1)
    inside = g("And", g("Greater", "x", g.number(0.1)), g("Less", g.number(-1.0), mean))
    either = g("Or", g("Not", inside), g("GreaterOrEqual", "x", mean))
    apart = g("Xor", g("LessOrEqual", "x", g.weight("bounds.row", 8)), g("Equal", "x", mean))
    y = g("Where", inside, g("Mul", "x", g.number(2.0)), mean)
    y = g("Add", y, g("Where", either, "x", g.number(3.0)))
    y = g("Add", y, g("Where", apart, g.number(0.5), g.number(-0.5)))
    y = g("Add", y, g("Where", inside, g.weight("chosen.row", 5, 8), y))
    y = g("Add", y, g("Cast", apart, to=TensorProto.FLOAT))
    causal = g.array(np.tril(np.ones((5, 5))), bool)
    scores = g("MatMul", y, g("Transpose", y, perm=[0, 2, 1]))
    return g("Softmax", g("Where", causal, scores, g.number(-np.inf)), axis=-1)


def padding(g: Graph) -> Any:
    """Words, and attention that leaves out those that are 0."""
    h = g("Gather", g.weight("words.weight", 11, 8), "x")
    zeros = g("ConstantOfShape", g("Concat", size(g, "x", 0), g.array([6]), axis=0))
    mask = g("Where", g("Equal", "x", g.array(0)), g.number(-np.inf), zeros)
    mask = g("Expand", g("Unsqueeze", mask, g.array([1])), g.array([1, 6, 6]))
    first = g("Where", g.array(np.eye(6)[:1] > 0, bool), g.number(0.0), mask)
    scores = g("Add", g("MatMul", h, g("Transpose", h, perm=[0, 2, 1])), first)
    return g("MatMul", g("Softmax", scores, axis=-1), h)


def time_first(g: Graph) -> Any:
    """Operators between two transposes, as in a model whose steps come before the batch."""
    x = g("Transpose", "x", perm=[1, 0, 2])
    x = g("Add", x, g.weight("positions", 5, 1, 8))
    weights = [g.weight("norm.weight", 8), g.weight("norm.bias", 8)]
    x = g("LayerNormalization", g("Add", x, g("Relu", x)), *weights, axis=-1)
    x = g("Softmax", g("Mul", x, g.weight("scale", 8)), axis=0)
    parts = g("Split", x, g.array([3, 5]), count=2, axis=2)
    x = g("Concat", *parts[::-1], g("Slice", x, g.array([1]), g.array([5]), g.array([2])), axis=-1)
    return g("ReduceMean", g("Sub", x, g("ReduceMax", x, axes=[-1])), axes=[0], keepdims=0)


BLOCKS = {
    "heads": (heads_with_batch, ["n", 5, 8], TensorProto.FLOAT),
    "heads-apart": (lambda g: heads_with_batch(g, True), ["n", 5, 8], TensorProto.FLOAT),
    "choices": (choices, ["n", 5, 8], TensorProto.FLOAT),
    "padding": (padding, ["n", 6], TensorProto.INT64),
    "class-token": (class_token, ["n", 3, 8, 8], TensorProto.FLOAT),
    "time-first": (time_first, ["n", 5, 8], TensorProto.FLOAT),
    "resnet": (resnet, ["n", 3, 16, 16], TensorProto.FLOAT),
    "mlp": (mlp, ["n", 4], TensorProto.FLOAT),
    "mobilenet": (mobilenet, ["n", 4, 6, 6], TensorProto.FLOAT),
    "transformer": (transformer, ["n", 6], TensorProto.INT64),
}


def saved(tmp_path: Path, name: str) -> Path:
    build, shape, dtype = BLOCKS[name]
    g = Graph()
    return g.save(tmp_path / f"{name}.onnx", build(g), x=shape, dtype=dtype)


def distance(imported: Any, path: Path, x: Array) -> float:
    """Return how far the prediction is from that of ONNX Runtime."""
    onnxruntime = importlib.import_module("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = session.run(None, {session.get_inputs()[0].name: x})
    names = imported.model.output_names
    loss = "mse" if len(names) == 1 else [db.Head(name, "mse") for name in names]
    made = (
        imported.replace(loss=loss, optimizer="sgd")
        .compile("reference")
        .predict(x.astype(np.int32) if x.dtype.kind == "i" else x)
    )
    cases = importlib.import_module("convert.onnx_cases")
    return cases.distance(list(made.values()) if isinstance(made, dict) else [made], expected)
