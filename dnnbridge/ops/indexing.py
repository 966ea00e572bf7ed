"""Operations that choose elements by their index."""

from __future__ import annotations

from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text


class Take(Op):
    """Rows of a table by their index; an index that the table lacks gives a row of NaN

    The table has shape (n, ...) and indices any; the result has the shape of the indices, then
    that of a row. A row taken several times gets the sum of the gradients.
    """

    def infer(self, *types: TensorType) -> TensorType:
        table, indices = types
        require_dtype(self, table, "float32")
        require_dtype(self, indices, "int32")
        if table.rank < 1 or None in table.shape:
            raise ShapeError(
                "Take needs a table without a batch axis",
                got=f"({shape_text(table.shape)})",
                hint="Give a table of shape (n, ...).",
            )
        return TensorType((*indices.shape, *table.shape[1:]))


def take(table: Value, indices: Value) -> Value:
    return table.builder.add(Take(), table, indices)
