"""Matrix products by primitives, as the derivative of `ops.matmul` transposes matrices."""

from __future__ import annotations

from typing import Any

from mindspore import nn, ops

Tensor = Any


class MatMul(nn.Cell):
    """x @ w, the last axis of x by the first of w

    It has no derivative of its own, as MindSpore copies a weight that is passed to such a Cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self.product = ops.MatMul()

    def construct(self, x: Tensor, w: Tensor) -> Tensor:
        if x.ndim == 2:
            return self.product(x, w)
        rows = ops.reshape(x, (-1, w.shape[0]))
        return ops.reshape(self.product(rows, w), (*x.shape[:-1], w.shape[1]))


class BatchMatMul(nn.Cell):
    """a @ b, matrix by matrix"""

    def __init__(self) -> None:
        super().__init__()
        self.product = ops.BatchMatMul()

    def construct(self, a: Tensor, b: Tensor) -> Tensor:
        return self.product(a, b)
