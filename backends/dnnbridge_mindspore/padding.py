"""Numbers around a tensor."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

Tensor = Any


class Pad(nn.Cell):
    """`ops.pad` with a constant, whose own derivative is wrong from the second call on

    `pads` are (before, after) of the last axis, then of the one before it, and so on.
    """

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def construct(self, x: Tensor, pads: tuple[int, ...]) -> Tensor:
        return ops.pad(x, pads, "constant", self.value)

    def bprop(
        self, x: Tensor, pads: tuple[int, ...], out: Tensor, dout: Tensor
    ) -> tuple[Tensor, tuple[int, ...]]:
        begin: tuple[int, ...] = ()
        for i in range(x.ndim):
            place = 2 * (x.ndim - 1 - i)
            begin = (*begin, pads[place] if place < len(pads) else 0)
        return ops.slice(dout, begin, x.shape), pads
