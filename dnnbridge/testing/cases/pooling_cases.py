"""Cases of pools: strides, windows, ties, and padding around negative inputs."""

from __future__ import annotations

import math

import numpy as np

from dnnbridge import ops
from dnnbridge.arrays import Array
from dnnbridge.ops.windows import Padding, pad_pairs
from dnnbridge.testing.cases.op_case import OpCase, normal


def _negative(*shape: int) -> Array:
    """Numbers below 0, all different and far apart, so that no step crosses a maximum."""
    order = np.argsort(normal(math.prod(shape)))
    return -0.1 * (1.0 + order.reshape(shape))


def _whole(*shape: int) -> Array:
    """Few different numbers: many ties."""
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
        counted = ops.AvgPool(window, strides, pairs, count_padding=True)
        terms = math.prod(window)
        made += [
            OpCase(f"MaxPool-{id}", best, (_negative(*shape),), reduced=terms),
            OpCase(f"MaxPool-{id}-ties", best, (_whole(*shape),), reduced=terms),
            OpCase(f"AvgPool-{id}", mean, (normal(*shape),), reduced=terms),
            OpCase(f"AvgPool-{id}-count_padding", counted, (normal(*shape),), reduced=terms),
        ]
    return made


POOLING_OP_CASES: list[OpCase] = _cases()
