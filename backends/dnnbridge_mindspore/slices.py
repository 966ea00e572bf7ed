"""Slices of the inputs below a window along each axis, with the channels last."""

from __future__ import annotations

import math
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import Pad

Tensor = Any
Sizes = tuple[int, ...]
Cut = tuple[Sizes, int, Sizes, tuple[Sizes, ...], Sizes]
"""(shape as four axes, padding up to the stride, shape with the stride, begins, slice sizes)"""


@ops.constexpr  # type: ignore[untyped-decorator]
def cuts(
    shape: Sizes, window: Sizes, strides: Sizes, dilation: Sizes
) -> tuple[tuple[Cut, ...], Sizes]:
    """Return a cut for each axis along which a window moves, the last axis first, and the shape.

    Each cut applies to the slices of the previous one, joined along the channels. The sizes are
    computed in Python, as MindSpore takes long to compute them.
    """
    sizes, made = list(shape), []
    for axis in range(len(window), 0, -1):
        count, stride, step = window[axis - 1], strides[axis - 1], dilation[axis - 1]
        if count * stride == 1:
            continue
        n, m = math.prod(sizes[:axis]), math.prod(sizes[axis + 1 : -1])
        length, channels = sizes[axis], sizes[-1]
        sizes[axis] = size = (length - (count - 1) * step - 1) // stride + 1
        sizes[-1] *= count
        places = [i * step for i in range(count)]
        begins = tuple((0, place // stride, place % stride * m, 0) for place in places)
        four, strided = (n, length, m, channels), (n, -1, stride * m, channels)
        made.append((four, -length % stride, strided, begins, (n, size, m, channels)))
    return tuple(made), tuple(sizes)


class Slices(nn.Cell):
    """The slices of a cut; strided slices are slow, so the stride is moved into the next axis"""

    def __init__(self) -> None:
        super().__init__()
        self.pad = Pad()

    def construct(self, x: Tensor, cut: Cut) -> tuple[Tensor, ...]:
        four, missing, strided, begins, sizes = cut
        x = ops.reshape(x, four)
        if missing > 0:
            x = self.pad(x, (0, 0, 0, 0, 0, missing))
        x = ops.reshape(x, strided)
        made: tuple[Tensor, ...] = ()
        for begin in begins:
            made = (*made, ops.slice(x, begin, sizes))
        return made
