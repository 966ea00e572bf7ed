"""Products of matrices, example by example."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import broadcast, shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.spec import spec


@spec
class MatMul(AbstractLayer):
    """a @ b for inputs of shapes (batch, ..., m, k) and (batch, ..., k, n)

    `x @ y` makes this layer too. Axes between the batch and the matrices have equal sizes, or
    size 1, which broadcasts. `Dense` multiplies by a matrix of weights.

    Example:
        >>> from dnnbridge import Input, Model, Permute
        >>> x = Input((5, 4))
        >>> Model(x, MatMul()(x, Permute((2, 1))(x))).output_shape
        (None, 5, 5)
    """

    def emit(self, scope: Scope, a: Value, b: Value) -> Value:
        given = f"({shape_text(a.shape)}) and ({shape_text(b.shape)})"
        scope.require(
            a.rank == b.rank >= 3 and a.shape[-1] == b.shape[-2],
            "MatMul needs inputs of shapes (batch, ..., m, k) and (batch, ..., k, n)",
            got=given,
            hint="Swap axes with Permute, or add one with x[:, None].",
        )
        outer = broadcast(a.shape[:-2], b.shape[:-2])
        return ops.batch_matmul(
            *(
                x if x.shape[:-2] == outer else ops.broadcast_to(x, (*outer, *x.shape[-2:]))
                for x in (a, b)
            )
        )
