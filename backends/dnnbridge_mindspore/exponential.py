"""Exponentials and logarithms; MindSpore's own CPU kernels have errors of up to 4e-6."""

from __future__ import annotations

from typing import Any

import mindspore as ms
from mindspore import nn, ops

Tensor = Any

LESS, SELECT = ops.Less(), ops.Select()


class AccurateExp(nn.Cell):
    """1 + expm1(|x|), or its reciprocal below 0; the error of `ops.exp` is 4e-6, and 2e-5 at ±80"""

    def construct(self, x: Tensor) -> Tensor:
        e = ops.expm1(ops.abs(x)) + 1.0
        return SELECT(LESS(x, 0.0), ops.reciprocal(e), e)


class Exp(nn.Cell):
    """eˣ, whose derivative is itself"""

    def __init__(self) -> None:
        super().__init__()
        self.exp = AccurateExp()

    def construct(self, x: Tensor) -> Tensor:
        return self.exp(x)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * out,)


class Log(nn.Cell):
    """log x with one Newton step; `ops.log` has a relative error of 3e-7, which a power multiplies

    If |log x| is 80 or more, the inverse may overflow or underflow, so it is split in two factors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exp = AccurateExp()
        self.one, self.half = ms.Tensor(1.0, ms.float32), ms.Tensor(0.5, ms.float32)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.log(x)
        size = ops.abs(y)
        whole = LESS(size, 80.0)
        inverse = self.exp(-y * SELECT(whole, self.one, self.half))
        near = x * inverse
        near = SELECT(whole, near, near * inverse)
        return SELECT(LESS(size, 1e3), y + (near - 1.0), y)

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (ops.div(dout, x),)


class Expm1(nn.Cell):
    """exp(x) - 1, by its Taylor series near 0, as `ops.expm1` cancels there: it is 0 for 1e-8"""

    def __init__(self) -> None:
        super().__init__()
        self.exp = AccurateExp()

    def construct(self, x: Tensor) -> Tensor:
        series = x / 5040.0 + 1.0 / 720.0
        for factorial in (120.0, 24.0, 6.0, 2.0, 1.0):
            series = series * x + 1.0 / factorial
        return ops.where(ops.less(ops.abs(x), 0.35), series * x, ops.expm1(x))

    def bprop(self, x: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor]:
        return (dout * self.exp(x),)
