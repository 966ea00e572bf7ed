"""Linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.rule import Rule


class BatchMatMul(Op):
    """a @ b for a of shape (..., m, k) and b of shape (..., k, n), equal in their leading axes"""

    def infer(self, *types: TensorType) -> TensorType:
        a, b = types
        require_dtype(self, a, "float32")
        require_dtype(self, b, "float32")
        if (
            not (a.rank == b.rank >= 3)
            or a.shape[:-2] != b.shape[:-2]
            or a.shape[-1] != b.shape[-2]
        ):
            raise ShapeError(
                "BatchMatMul takes shapes (..., m, k) and (..., k, n) of rank 3 or more",
                got=f"({shape_text(a.shape)}) and ({shape_text(b.shape)})",
                hint="Make the leading axes equal; ops.broadcast_to repeats one.",
            )
        return TensorType((*a.shape[:-1], b.shape[-1]))

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return 2 * output.size() * int(inputs[0].shape[-1] or 1)


def batch_matmul(a: Value, b: Value) -> Value:
    return a.builder.add(BatchMatMul(), a, b)


def _batch_matmul_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    a, b = xs
    return dy @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ dy


RULES: dict[type[Op], Rule] = {
    BatchMatMul: Rule(lambda op, a, b: a @ b, _batch_matmul_vjp),
}
