"""The rule of each operator of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations as here
from dnnbridge.formats.onnx.reading import (
    activations,
    arithmetic,
    logic,
    movement,
    recurrent,
    resizing,
    weighted,
    windows,
)
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.einsum import einsum
from dnnbridge.formats.onnx.reading.reshape import reshape

Rule = Callable[[Call], Any]
"""A call -> its result, or a list of its results."""

ACTIVATIONS: Mapping[str, Rule] = {
    "Celu": activations.plain(lambda c: here.CELU(activations.number(c, "alpha", 1.0))),
    "Elu": activations.plain(lambda c: here.ELU(activations.number(c, "alpha", 1.0))),
    "Gelu": activations.plain(lambda c: here.GELU(c.get("approximate", "none") == "tanh")),
    "HardSwish": activations.plain(lambda c: here.HardSwish()),
    "LeakyRelu": activations.plain(lambda c: here.LeakyReLU(activations.number(c, "alpha", 0.01))),
    "Mish": activations.plain(lambda c: here.Mish()),
    "Relu": activations.plain(lambda c: here.ReLU()),
    "Sigmoid": activations.plain(lambda c: here.Sigmoid()),
    "Softplus": activations.plain(lambda c: here.Softplus()),
    "Softsign": activations.plain(lambda c: here.Softsign()),
    "Tanh": activations.plain(lambda c: here.Tanh()),
    "Clip": activations.clip,
    "HardSigmoid": activations.hard_sigmoid,
    "LogSoftmax": activations.along_axis(here.LogSoftmax),
    "PRelu": activations.prelu,
    "Selu": activations.selu,
    "Shrink": activations.shrink,
    "Softmax": activations.along_axis(here.Softmax),
    "ThresholdedRelu": activations.thresholded_relu,
}

ARITHMETIC: Mapping[str, Rule] = {
    "Abs": arithmetic.alone("abs"),
    "Erf": arithmetic.alone("erf"),
    "Exp": arithmetic.alone("exp"),
    "Log": arithmetic.alone("log"),
    "Neg": arithmetic.alone("negative"),
    "Sign": arithmetic.alone("sign"),
    "Sqrt": arithmetic.alone("sqrt"),
    "Reciprocal": lambda c: arithmetic.with_number(c, "divide", c.tensor(), 1.0, True),
    "Add": arithmetic.of_two("add"),
    "Sum": arithmetic.of_two("add"),
    "Div": arithmetic.of_two("divide"),
    "Max": arithmetic.of_two("maximum"),
    "Min": arithmetic.of_two("minimum"),
    "Mul": arithmetic.of_two("multiply"),
    "Pow": arithmetic.of_two("power"),
    "Sub": arithmetic.of_two("subtract"),
    "ReduceMax": arithmetic.reduced("max"),
    "ReduceMean": arithmetic.reduced("mean"),
    "ReduceMin": arithmetic.reduced("min"),
    "ReduceSum": arithmetic.reduced("sum"),
}

LOGIC: Mapping[str, Rule] = {
    "And": logic.connected("and"),
    "Equal": logic.compared("equal"),
    "Greater": logic.compared("greater"),
    "GreaterOrEqual": logic.compared("greater_equal"),
    "Less": logic.compared("less"),
    "LessOrEqual": logic.compared("less_equal"),
    "Not": logic.negated,
    "Or": logic.connected("or"),
    "Where": logic.where,
    "Xor": logic.connected("xor"),
}

MOVED = {
    *("Dropout", "GRU", "Gather", "Identity", "LSTM", "RNN", "Reshape", "Shape", "Squeeze"),
    *("Transpose", "Unsqueeze"),
}
"""Operators whose rules know where the batch is; all others get it first."""

MERGED = {"Dropout", "Identity", "Reshape", "Shape", "Transpose"}
"""Operators whose rules take a batch that is one axis with others."""

RULES: Mapping[str, Rule] = {
    **ACTIVATIONS,
    **ARITHMETIC,
    **LOGIC,
    "AveragePool": windows.average_pool,
    "BatchNormalization": weighted.batch_normalization,
    "Cast": movement.cast,
    "Concat": movement.concat,
    "Constant": movement.constant,
    "Conv": windows.conv,
    "ConvTranspose": windows.conv_transpose,
    "DepthToSpace": resizing.depth_to_space,
    "Dropout": lambda c: c.inputs[0],
    "Einsum": einsum,
    "Expand": movement.expand,
    "Flatten": movement.flatten,
    "Gather": weighted.gather,
    "GRU": recurrent.recurrent("GRU"),
    "Gemm": weighted.gemm,
    "GlobalAveragePool": windows.global_pool("Average"),
    "GlobalMaxPool": windows.global_pool("Max"),
    "GroupNormalization": weighted.group_normalization,
    "Identity": lambda c: c.inputs[0],
    "InstanceNormalization": weighted.instance_normalization,
    "LSTM": recurrent.recurrent("LSTM"),
    "LayerNormalization": weighted.layer_normalization,
    "MatMul": weighted.matmul,
    "MaxPool": windows.max_pool,
    "Pad": windows.pad,
    "RNN": recurrent.recurrent("RNN"),
    "Reshape": reshape,
    "Resize": resizing.resize,
    "Shape": movement.shape,
    "Slice": movement.slice_,
    "SpaceToDepth": resizing.space_to_depth,
    "Split": movement.split,
    "Squeeze": movement.squeeze,
    "Tile": movement.tile,
    "Transpose": movement.transpose,
    "Unsqueeze": movement.unsqueeze,
}
"""The rule of each operator, by its name."""
