"""What the places of a window see along each axis: slices, with the channels last."""

from __future__ import annotations

import math
from typing import Any

from mindspore import nn, ops

from dnnbridge_mindspore.padding import Pad

Tensor = Any
Sizes = tuple[int, ...]
Cut = tuple[Sizes, int, Sizes, tuple[Sizes, ...], Sizes]
"""(the axes as four, what a stride lacks, the axes with the stride, begins, sizes of a slice)"""


@ops.constexpr  # type: ignore[untyped-decorator]
def cuts(
    shape: Sizes, window: Sizes, strides: Sizes, dilation: Sizes
) -> tuple[tuple[Cut, ...], Sizes]:
    """Return a cut for each axis along which a window moves, the last axis first, and the shape.

    The next cut is of the slices of one, joined along the channels. Made in Python, since MindSpore
    takes long to compute sizes itself.
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
    """The slices of a cut; a strided one is slow, so the next axis takes the stride in"""

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
