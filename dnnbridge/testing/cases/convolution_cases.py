"""Cases of convolutions: strides, even and odd kernels, dilation, groups, one pixel, 1 to 3 axes.

The inputs are small, because the checks by finite differences change every element in turn.
"""

from __future__ import annotations

import math
from typing import Literal

from dnnbridge import layers, ops
from dnnbridge.base.arrays import Array
from dnnbridge.ops.windows import Padding, Pairs, pad_pairs
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.op_case import OpCase, normal


def _conv(
    id: str,
    x: tuple[int, ...],
    kernel: tuple[int, ...],
    padding: Padding = "valid",
    strides: tuple[int, ...] = (),
    dilation: tuple[int, ...] = (),
    groups: int = 1,
) -> OpCase:
    """Make a case from shapes; kernel is (*window, filters)."""
    window, ones = kernel[:-1], (1,) * (len(kernel) - 1)
    strides, dilation = strides or ones, dilation or ones
    pairs: Pairs = pad_pairs(padding, x[1:-1], window, strides, dilation)
    shape = (*window, x[-1] // groups, kernel[-1])
    op = ops.Conv(strides, pairs, dilation, groups)
    terms = max(math.prod(shape[:-1]), math.prod(window) * kernel[-1])
    inputs: tuple[Array, ...] = normal(*x), normal(*shape, scale=0.5, key=1)
    return OpCase(f"Conv-{id}", op, inputs, reduced=max(terms, math.prod(x[:-1])))


def _transpose(
    id: str,
    x: tuple[int, ...],
    kernel: tuple[int, ...],
    sizes: tuple[int, ...],
    padding: Padding = "valid",
    strides: tuple[int, ...] = (),
    dilation: tuple[int, ...] = (),
) -> OpCase:
    window, ones = kernel[:-1], (1,) * (len(kernel) - 1)
    strides, dilation = strides or ones, dilation or ones
    pairs = pad_pairs(padding, sizes, window, strides, dilation)
    op = ops.ConvTranspose(strides, pairs, dilation, sizes)
    inputs = normal(*x), normal(*window, kernel[-1], x[-1], scale=0.5, key=1)
    terms = math.prod(window) * max(kernel[-1], x[-1])
    return OpCase(f"ConvTranspose-{id}", op, inputs, reduced=max(terms, math.prod(x[:-1])))


CONVOLUTION_OP_CASES: list[OpCase] = [
    _conv("valid", (2, 5, 6, 3), (3, 3, 4)),
    _conv("same", (2, 5, 4, 2), (3, 3, 3), "same"),
    _conv("even_kernel", (2, 5, 4, 2), (2, 4, 3), "same"),
    _conv("stride2", (2, 5, 6, 2), (3, 3, 3), "same", (2, 2)),
    _conv("stride3_rest", (2, 8, 9, 2), (2, 3, 2), "valid", (3, 2)),
    _conv("stride_over_kernel", (1, 7, 7, 2), (1, 2, 3), "same", (3, 3)),
    _conv("dilation2", (1, 7, 6, 2), (3, 3, 2), "same", (1, 1), (2, 2)),
    _conv("dilation_and_stride", (1, 9, 8, 2), (3, 2, 2), "same", (2, 3), (2, 1)),
    _conv("explicit", (1, 3, 4, 2), (2, 3, 2), ((0, 3), (2, 1))),
    _conv("one_pixel", (2, 1, 1, 3), (3, 3, 2), "same"),
    _conv("1x1", (2, 4, 3, 3), (1, 1, 5), "valid", (2, 2)),
    # For a 1x1 kernel with strides, oneDNN's kernel gradient is wrong on AVX2.
    _conv("1x1-stride_1_3", (2, 4, 6, 1), (1, 1, 3), "valid", (1, 3)),
    _conv("1x1-stride_3_1", (2, 6, 4, 1), (1, 1, 3), "same", (3, 1)),
    _conv("1x1-stride_1_2", (2, 4, 6, 4), (1, 1, 12), "valid", (1, 2)),
    _conv("1x1-all", (2, 6, 5, 4), (1, 1, 6), ((1, 0), (2, 1)), (3, 2), (2, 3), 2),
    _conv("groups", (2, 4, 5, 4), (3, 3, 6), "same", groups=2),
    _conv("groups_stride_dilation", (1, 7, 7, 4), (2, 3, 4), "same", (2, 1), (2, 2), 2),
    _conv("depthwise", (2, 4, 5, 3), (3, 3, 6), "same", groups=3),
    _conv("depthwise-stride", (2, 5, 6, 3), (3, 2, 3), "same", (2, 1), groups=3),
    _conv("depthwise-stride_3_2", (2, 6, 5, 3), (3, 2, 6), "valid", (3, 2), groups=3),
    _conv("depthwise-dilation", (1, 6, 6, 3), (3, 3, 3), "same", (1, 1), (2, 1), 3),
    _conv("depthwise-both", (1, 7, 7, 2), (3, 3, 4), "same", (2, 2), (2, 2), 2),
    _conv("1d", (2, 7, 3), (3, 4), "same", (2,)),
    _conv("1d-causal", (2, 6, 2), (3, 3), "causal", (1,), (2,)),
    _conv("1d-1-stride", (3, 9, 2), (1, 8), "same", (3,)),
    _conv("1d-far", (1, 13, 2), (2, 3), "causal", (1,), (8,)),
    _conv("1d-stride_dilation", (2, 13, 4), (3, 2), "same", (2,), (3,), 2),
    _conv("1d-groups", (2, 6, 4), (2, 4), "valid", groups=4),
    _conv("3d", (1, 3, 4, 3, 2), (2, 3, 2, 3), "same"),
    _conv("3d-stride", (1, 4, 5, 4, 2), (2, 3, 2, 2), "same", (2, 1, 3)),
    _conv("3d-dilation", (1, 4, 3, 4, 1), (2, 2, 2, 2), "same", (1, 1, 1), (2, 1, 2)),
    _conv("3d-1-stride", (2, 4, 3, 5, 2), (1, 1, 1, 3), "same", (1, 3, 2)),
    _conv("3d-all", (1, 5, 4, 5, 4), (2, 2, 2, 2), "same", (2, 1, 1), (1, 2, 2), 2),
    _conv("3d-groups-dilation", (1, 5, 4, 5, 4), (2, 2, 2, 2), "same", (1, 1, 1), (1, 3, 2), 2),
    _conv("3d-groups", (1, 3, 3, 3, 4), (2, 2, 2, 4), "valid", groups=2),
    _transpose("valid", (2, 3, 4, 3), (3, 2, 2), (5, 5)),
    _transpose("stride2_same", (2, 3, 2, 2), (3, 3, 3), (6, 4), "same", (2, 2)),
    _transpose("stride_over_kernel", (1, 3, 2, 2), (2, 1, 3), (9, 6), "same", (3, 3)),
    _transpose("rest", (1, 2, 3, 2), (3, 3, 2), (6, 11), "valid", (2, 3)),
    _transpose("dilation", (1, 4, 4, 2), (3, 2, 2), (4, 4), "same", (1, 1), (2, 2)),
    _transpose("stride_dilation", (1, 3, 3, 2), (3, 2, 2), (9, 9), "valid", (2, 3), (2, 2)),
    _transpose("1x1-stride", (2, 3, 2, 2), (1, 1, 3), (9, 4), "same", (3, 2)),
    _transpose("1x1-rest", (2, 2, 2, 4), (1, 1, 12), (4, 3), ((1, 0), (0, 1)), (3, 2)),
    _transpose("one_pixel", (2, 1, 1, 3), (3, 3, 2), (3, 3)),
    _transpose("1d", (2, 4, 3), (3, 2), (8,), "same", (2,)),
    _transpose("1d-dilation", (2, 5, 2), (3, 3), (9,), "valid", (1,), (2,)),
    _transpose("3d", (1, 2, 3, 2, 2), (2, 3, 2, 2), (4, 6, 4), "same", (2, 2, 2)),
    _transpose("3d-dilation", (1, 2, 2, 2, 2), (2, 2, 2, 2), (4, 3, 4), "valid", (), (2, 1, 2)),
]

_FIRST: Literal["channels_first"] = "channels_first"


def _layers() -> list[EquationCase]:
    line, plane, space = normal(2, 7, 4), normal(2, 6, 5, 4), normal(1, 4, 3, 5, 2)
    given: list[tuple[str, layers.AbstractLayer, Array]] = [
        ("causal", layers.Conv1D(3, 2, 2, "causal", dilation_rate=2), line),
        ("groups", layers.Conv1D(6, 3, padding="same", groups=2, activation="tanh"), line),
        ("tanh", layers.Conv2D(3, 3, activation="tanh"), plane),
        ("same", layers.Conv2D(5, (2, 3), 2, "same", use_bias=False), plane),
        ("pairs", layers.Conv2D(2, 3, padding=((1, 0), (2, 3)), dilation_rate=(1, 2)), plane),
        ("channels_first", layers.Conv2D(4, 3, 1, "same", _FIRST, 1, 2), plane),
        ("mindspore", layers.Conv2D.mindspore(6, 3, 2, has_bias=True), plane),
        ("same", layers.Conv3D(2, 2, (1, 2, 1), "same"), space),
        ("channels_first", layers.Conv3D(2, 2, data_format=_FIRST), space),
        ("multiplier", layers.DepthwiseConv1D(3, 2, "causal", 2), line),
        ("multiplier", layers.DepthwiseConv2D(3, 1, "same", 2, activation="tanh"), plane),
        ("channels_first", layers.DepthwiseConv2D(2, 2, data_format=_FIRST), plane),
        ("dilation", layers.DepthwiseConv2D(2, 1, "valid", 1, dilation_rate=2), plane),
        ("same", layers.SeparableConv1D(3, 2, padding="same"), line),
        ("multiplier", layers.SeparableConv2D(3, 3, 2, "same", depth_multiplier=2), plane),
        ("channels_first", layers.SeparableConv2D(3, 2, data_format=_FIRST), plane),
        ("same", layers.Conv1DTranspose(3, 3, 2, "same"), line),
        ("valid", layers.Conv2DTranspose(3, (3, 2), (2, 3), activation="tanh"), plane),
        ("output_padding", layers.Conv2DTranspose(2, 3, 2, "same", 1), plane),
        ("pairs", layers.Conv2DTranspose(2, 3, 2, 1, 1), plane),
        ("channels_first", layers.Conv2DTranspose(2, 3, data_format=_FIRST), plane),
        ("mindspore", layers.Conv2DTranspose.mindspore(6, 3, 2, 2), plane),
        ("same", layers.Conv3DTranspose(2, 3, 2, "same"), space),
    ]
    return [
        EquationCase(f"{type(layer).__name__}-{id}", layer, (x,), reduced=84)
        for id, layer, x in given
    ]


CONVOLUTION_CASES: list[EquationCase] = _layers()
