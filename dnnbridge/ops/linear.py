"""Linear algebra."""

from __future__ import annotations

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text


class MatMul(Op):
    """x @ w for x of shape (..., k) and w of shape (k, n)"""

    def infer(self, *types: TensorType) -> TensorType:
        x, w = types
        require_dtype(self, x, "float32")
        require_dtype(self, w, "float32")
        if x.rank < 2 or w.rank != 2 or x.shape[-1] != w.shape[0]:
            raise ShapeError(
                "MatMul takes shapes (..., k) and (k, n)",
                got=f"({shape_text(x.shape)}) and ({shape_text(w.shape)})",
                hint="Make the last size of the first equal to the first size of the second.",
            )
        return TensorType((*x.shape[:-1], w.shape[1]))
