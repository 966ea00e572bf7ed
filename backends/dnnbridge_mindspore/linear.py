"""Products of matrices with their own derivatives, which turn no matrix over: BLAS reads it so."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

Tensor = Any


class MatMul(nn.Cell):
    """x @ w, the last axis of x by the first of w"""

    def __init__(self) -> None:
        super().__init__()
        self.product = ops.MatMul()
        self.by_rows, self.by_columns = ops.MatMul(False, True), ops.MatMul(True, False)

    def construct(self, x: Tensor, w: Tensor) -> Tensor:
        rows = ops.reshape(x, (-1, w.shape[0]))
        return ops.reshape(self.product(rows, w), (*x.shape[:-1], w.shape[1]))

    def bprop(self, x: Tensor, w: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        rows, d = ops.reshape(x, (-1, w.shape[0])), ops.reshape(dout, (-1, w.shape[1]))
        return ops.reshape(self.by_rows(d, w), x.shape), self.by_columns(rows, d)


class BatchMatMul(nn.Cell):
    """a @ b, matrix by matrix"""

    def __init__(self) -> None:
        super().__init__()
        self.product = ops.BatchMatMul()
        self.by_rows, self.by_columns = ops.BatchMatMul(False, True), ops.BatchMatMul(True, False)

    def construct(self, a: Tensor, b: Tensor) -> Tensor:
        return self.product(a, b)

    def bprop(self, a: Tensor, b: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        return self.by_rows(dout, b), self.by_columns(a, dout)
