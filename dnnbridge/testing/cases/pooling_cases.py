"""Cases of pools: strides, windows, ties, and padding around negative inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np

from dnnbridge import layers, ops
from dnnbridge.base.arrays import Array
from dnnbridge.ops.windows import Padding, pad_pairs
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.op_case import OpCase, normal


def _negative(*shape: int) -> Array:
    """Negative numbers, so far apart that a finite difference does not change the maximum."""
    order = np.argsort(normal(math.prod(shape)))
    return -0.1 * (1.0 + order.reshape(shape))


def _whole(*shape: int) -> Array:
    """Whole numbers, with many ties."""
    return np.round(normal(*shape))


_WINDOWS: list[tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...], Padding]] = [
    ("2x2", (2, 4, 5, 3), (2, 2), (2, 2), "valid"),
    ("overlap", (1, 5, 6, 2), (3, 3), (1, 1), "same"),
    ("odd_stride", (2, 7, 6, 2), (3, 2), (2, 3), "same"),
    ("even_window", (1, 6, 5, 2), (4, 2), (3, 1), "same"),
    ("explicit", (1, 4, 4, 2), (3, 3), (2, 2), ((0, 2), (1, 0))),
    ("gaps", (1, 7, 7, 2), (1, 2), (3, 3), "valid"),
    ("one_pixel", (2, 1, 1, 3), (3, 2), (1, 1), "same"),
    ("1d", (2, 7, 2), (3,), (2,), "same"),
    ("3d", (1, 4, 3, 5, 2), (2, 3, 2), (2, 1, 3), "same"),
]


def _cases() -> list[OpCase]:
    made: list[OpCase] = []
    for id, shape, window, strides, padding in _WINDOWS:
        pairs = pad_pairs(padding, shape[1:-1], window, strides, (1,) * len(window))
        mean, best = ops.AvgPool(window, strides, pairs), ops.MaxPool(window, strides, pairs)
        counted = ops.AvgPool(window, strides, pairs, count_include_pad=True)
        terms = math.prod(window)
        made += [
            OpCase(f"MaxPool-{id}", best, (_negative(*shape),), reduced=terms),
            OpCase(f"MaxPool-{id}-ties", best, (_whole(*shape),), reduced=terms),
            OpCase(f"AvgPool-{id}", mean, (normal(*shape),), reduced=terms),
            OpCase(f"AvgPool-{id}-count_include_pad", counted, (normal(*shape),), reduced=terms),
        ]
    return made


POOLING_OP_CASES: list[OpCase] = _cases()

_FIRST: Literal["channels_first"] = "channels_first"


def _layers() -> list[EquationCase]:
    line, plane, space = normal(3, 7, 2), normal(2, 6, 5, 3), normal(2, 4, 3, 5, 2)
    mask = np.array([[1.0] * 7, [1, 1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0, 1]])
    given: list[tuple[str, layers.AbstractLayer, tuple[Array, ...]]] = [
        ("same", layers.MaxPooling1D(3, 2, "same"), (line,)),
        ("default", layers.MaxPooling2D(), (plane,)),
        ("same", layers.MaxPooling2D(3, 2, "same"), (-np.abs(plane),)),
        ("pairs", layers.MaxPooling2D((2, 3), 1, ((1, 0), (1, 2))), (plane,)),
        ("channels_first", layers.MaxPooling2D(2, data_format=_FIRST), (plane,)),
        ("mindspore", layers.MaxPooling2D.mindspore(2), (plane,)),
        ("ceil", layers.MaxPooling2D(3, 2, 1, ceil_mode=True), (-np.abs(plane),)),
        ("dilated", layers.MaxPooling2D((2, 3), dilation_rate=(3, 2)), (plane,)),
        ("dilated-1", layers.MaxPooling1D(2, 2, 1, _FIRST, True, 2), (line,)),
        ("default", layers.MaxPooling3D(), (space,)),
        ("dilated", layers.MaxPooling3D(2, 1, dilation_rate=(2, 1, 3)), (space,)),
        ("same", layers.AveragePooling1D(3, 2, "same"), (line,)),
        ("default", layers.AveragePooling2D(), (plane,)),
        ("same", layers.AveragePooling2D(3, 2, "same"), (plane,)),
        ("counted", layers.AveragePooling2D(3, 2, 1, count_include_pad=True), (plane,)),
        ("mindspore", layers.AveragePooling2D.mindspore(3, 2, "pad", 1), (plane,)),
        ("ceil", layers.AveragePooling2D(3, 2, ceil_mode=True), (plane,)),
        ("ceil-counted", layers.AveragePooling2D.mindspore(2, 3, "pad", 1, True), (plane,)),
        ("channels_first", layers.AveragePooling2D(2, data_format=_FIRST), (plane,)),
        ("same", layers.AveragePooling3D(2, (1, 2, 2), "same"), (space,)),
        ("1", layers.GlobalAveragePooling1D(), (line,)),
        ("mask", layers.GlobalAveragePooling1D(), (line, mask)),
        ("mask-kept", layers.GlobalAveragePooling1D(_FIRST, True), (normal(3, 2, 7), mask)),
        ("2", layers.GlobalAveragePooling2D(), (plane,)),
        ("channels_first", layers.GlobalAveragePooling2D(_FIRST), (plane,)),
        ("kept", layers.GlobalAveragePooling3D(keepdims=True), (space,)),
        ("1", layers.GlobalMaxPooling1D(), (line,)),
        ("2", layers.GlobalMaxPooling2D(_FIRST, True), (plane,)),
        ("3", layers.GlobalMaxPooling3D(), (space,)),
    ]
    return [
        EquationCase(f"{type(layer).__name__}-{id}", layer, xs, reduced=9)
        for id, layer, xs in given
    ]


def _adapted_input(
    sizes: tuple[int, ...], pool: Callable[..., Array], arrays: Mapping[str, Array]
) -> Array:
    """Pool each window of the input on its own."""
    x = arrays["input_0"]
    y = np.empty((len(x), *sizes, x.shape[-1]))
    for place in np.ndindex(*sizes):
        window = tuple(
            slice(math.floor(k * n / size), math.ceil((k + 1) * n / size))
            for k, size, n in zip(place, sizes, x.shape[1:-1], strict=True)
        )
        y[(slice(None), *place)] = pool(x[(slice(None), *window)], tuple(range(1, x.ndim - 1)))
    return y


def _adaptive() -> list[EquationCase]:
    """Sizes that divide those of the input, that share a factor with them, and larger ones."""
    made = []
    inputs = normal(3, 9, 2), normal(2, 9, 8, 3), normal(2, 4, 6, 5, 2)
    for kind, pool in (("Average", np.mean), ("Max", np.max)):
        for sizes in ((3,), (6,), (4,), (13,), (3, 6), (4, 3), (2, 4, 5)):
            x = inputs[len(sizes) - 1]
            cls = getattr(layers, f"Adaptive{kind}Pooling{len(sizes)}D")
            given = x if kind == "Average" else _negative(*x.shape)
            id = "x".join(map(str, sizes))
            made.append(
                EquationCase(
                    f"{cls.__name__}-{id}",
                    cls(sizes),
                    (given,),
                    reduced=30,
                    witness=partial(_adapted_input, sizes, pool),
                )
            )
        cls = getattr(layers, f"Adaptive{kind}Pooling2D")
        first = EquationCase(f"{cls.__name__}-channels_first", cls(2, _FIRST), (inputs[1],))
        made.append(first)
    return made


POOLING_CASES: list[EquationCase] = [*_layers(), *_adaptive()]
