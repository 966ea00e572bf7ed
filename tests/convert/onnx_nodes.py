"""Nodes on an input, of which each makes an ONNX file."""

from __future__ import annotations

import numpy as np


def one(kind, *more, shape=(4, 6, 6), outputs=1, opset=17, **attributes):
    """Return a case: a node on an input, with arrays as further inputs."""
    return kind, more, shape, outputs, opset, attributes


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
    "Clip-six": one("Clip", F(-1), F(6)),
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
    "Pad-reflect": one("Pad", np.array([0, 0, 2, 1, 0, 0, 1, 3]), mode="reflect"),
    "Pad-edge": one("Pad", np.array([0, 0, 2, 1, 0, 1, 1, 3]), mode="edge"),
    "Dropout": one("Dropout"),
    "ConvTranspose-groups": one(
        "ConvTranspose", random(4, 3, 3, 2), random(6), group=2, strides=[2, 1], pads=[1, 0, 0, 1]
    ),
    "ConvTranspose-groups-1D": one("ConvTranspose", random(4, 1, 3), group=4, shape=(4, 6)),
    "DepthToSpace": one("DepthToSpace", shape=(8, 2, 3), blocksize=2),
    "DepthToSpace-CRD": one("DepthToSpace", shape=(8, 2, 3), blocksize=2, mode="CRD"),
    "SpaceToDepth": one("SpaceToDepth", shape=(2, 4, 6), blocksize=2),
    "Expand": one("Expand", np.array([1, 3, 1, 4]), shape=(3, 5, 1)),
    "Tile": one("Tile", np.array([1, 2, 1, 3]), shape=(3, 2, 2)),
}

ROI, SCALES = np.zeros(0, F), np.zeros(0, F)


def resized(*scales, sizes=None, shape=(2, 3, 4), **attributes):
    given = (ROI, np.array([1, 1, *scales], F))
    if sizes is not None:
        given = (ROI, SCALES, np.array(sizes))
        attributes |= {"axes": [2, 3], "opset": 18}
    return one("Resize", *given, shape=shape, **attributes)


CORNERS = {"coordinate_transformation_mode": "align_corners"}
ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric"}
PYTORCH = {"coordinate_transformation_mode": "pytorch_half_pixel"}
OPERATORS |= {
    "Resize-repeat": resized(2, 3, nearest_mode="floor", **ASYMMETRIC),
    "Resize-repeat-1D": resized(3, shape=(2, 5), nearest_mode="floor", **ASYMMETRIC),
    "Resize-repeat-3D": resized(2, 1, 3, shape=(2, 2, 3, 2), **PYTORCH),
    "Resize-nearest": resized(1.5, 0.5, nearest_mode="floor", **ASYMMETRIC),
    "Resize-nearest-ceil": resized(1.7, 2.2, nearest_mode="round_prefer_ceil"),
    "Resize-linear": resized(2, 3, mode="linear"),
    "Resize-linear-sizes": resized(sizes=(5, 7), mode="linear", **PYTORCH),
    "Resize-linear-smaller": resized(sizes=(2, 3), mode="linear"),
    "Resize-linear-one": resized(sizes=(1, 6), mode="linear", **PYTORCH),
    "Resize-linear-corners": resized(sizes=(7, 9), mode="linear", **CORNERS),
    "Resize-linear-fraction": resized(1.6, 1.7, mode="linear"),
    "Resize-cubic": resized(2, 1.5, mode="cubic", cubic_coeff_a=-0.75),
}


REFUSED = {
    "axis": one("ReduceMean", axes=[0]),
    "batch": one("Slice", np.array([0]), np.array([1]), np.array([0])),
    "value": one("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), F(2)),
    "crop": one("Resize", ROI, np.ones(4, F), coordinate_transformation_mode="tf_crop_and_resize"),
    "batch size": one("Resize", ROI, np.ones(0, F), np.array([2, 4, 9, 9])),
    "batch scale": one("Resize", ROI, np.array([2, 1, 1, 1], F)),
    "mixed": one("Reshape", np.array([8, -1])),
    "no counterpart": one("Det", shape=(4, 4)),
}
