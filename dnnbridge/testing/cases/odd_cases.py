"""Cases of every layer with windows or borders, each with one example of 7 by 13.

Neither strides nor windows divide 7 or 13, so a remainder is left at each end.
"""

from __future__ import annotations

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, normal


def _cases() -> list[EquationCase]:
    line, plane, space = normal(1, 13, 2), normal(1, 7, 13, 2), normal(1, 5, 7, 13, 1)
    given: list[tuple[str, layers.AbstractLayer, Array]] = [
        ("same", layers.Conv1D(3, 4, 3, "same"), line),
        ("same", layers.Conv2D(3, (2, 4), (2, 3), "same"), plane),
        ("valid", layers.Conv2D(2, (3, 5), (3, 2), "valid"), plane),
        ("same", layers.Conv3D(2, (2, 3, 4), (2, 3, 5), "same"), space),
        ("same", layers.DepthwiseConv1D(4, 3, "same"), line),
        ("same", layers.DepthwiseConv2D((2, 4), 2, "same"), plane),
        ("same", layers.SeparableConv1D(3, 4, 3, "same"), line),
        ("same", layers.SeparableConv2D(3, (2, 4), 3, "same"), plane),
        ("same", layers.Conv1DTranspose(2, 4, 3, "same"), line),
        ("same", layers.Conv2DTranspose(2, (2, 4), (3, 2), "same"), plane),
        ("same", layers.Conv3DTranspose(1, 2, (1, 2, 2), "same"), space),
        ("same", layers.MaxPooling1D(4, 3, "same"), line),
        ("same", layers.MaxPooling2D((2, 4), (2, 3), "same"), plane),
        ("valid", layers.MaxPooling2D(2), plane),
        ("same", layers.MaxPooling3D((2, 3, 4), (2, 3, 5), "same"), space),
        ("same", layers.AveragePooling1D(4, 3, "same"), line),
        ("same", layers.AveragePooling2D((2, 4), (2, 3), "same"), plane),
        ("valid", layers.AveragePooling2D(2), plane),
        ("same", layers.AveragePooling3D((2, 3, 4), (2, 3, 5), "same"), space),
        ("all", layers.GlobalAveragePooling1D(), line),
        ("all", layers.GlobalAveragePooling2D(), plane),
        ("all", layers.GlobalAveragePooling3D(), space),
        ("all", layers.GlobalMaxPooling1D(), line),
        ("all", layers.GlobalMaxPooling2D(), plane),
        ("all", layers.GlobalMaxPooling3D(), space),
        ("uneven", layers.ZeroPadding1D((2, 1)), line),
        ("uneven", layers.ZeroPadding2D(((2, 0), (1, 3))), plane),
        ("uneven", layers.ZeroPadding3D(((0, 1), (2, 0), (1, 3))), space),
        ("uneven", layers.Cropping1D((2, 1)), line),
        ("uneven", layers.Cropping2D(((2, 0), (1, 3))), plane),
        ("uneven", layers.Cropping3D(((0, 1), (2, 0), (1, 3))), space),
        ("times3", layers.UpSampling1D(3), line),
        ("bilinear", layers.UpSampling2D((3, 2), interpolation="bilinear"), plane),
        ("times2", layers.UpSampling3D((2, 1, 3)), space),
    ]
    lines, planes = normal(1, 2, 13, 2), normal(1, 2, 7, 13, 1)
    given += [
        ("same", layers.ConvLSTM1D(2, 4, 3, "same"), lines),
        ("same", layers.ConvLSTM2D(1, (2, 4), (2, 3), "same"), planes),
        ("same", layers.ConvLSTM3D(1, (2, 3, 4), (2, 3, 5), "same"), normal(1, 2, 5, 7, 13, 1)),
    ]
    return [
        EquationCase(f"{type(layer).__name__}-7x13-{id}", layer, (x,), reduced=455)
        for id, layer, x in given
    ]


ODD_CASES: list[EquationCase] = _cases()
