"""Arithmetic: the operations that the operators of a `Value` record."""

from __future__ import annotations

from dnnbridge.errors import DTypeError, ShapeError
from dnnbridge.graph.op import Op, require_dtype
from dnnbridge.graph.types import TensorType, broadcast, shape_text


class AbstractUnary(Op):
    """float -> float, same shape."""

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_dtype(self, x, "float32")
        return x


class AbstractBinary(Op):
    """Two floats of broadcasting shapes -> float."""

    def infer(self, *types: TensorType) -> TensorType:
        for type in types:
            require_dtype(self, type, "float32")
        return TensorType(broadcast(*(type.shape for type in types)))


class AbstractComparison(Op):
    """Two operands of one dtype -> bool."""

    rounds = False
    kinked = True

    def infer(self, *types: TensorType) -> TensorType:
        a, b = types
        if a.dtype != b.dtype:
            raise DTypeError(
                f"{self} needs two equal dtypes", got=f"{a} and {b}", hint="Use ops.cast."
            )
        return TensorType(broadcast(a.shape, b.shape), "bool")


class Neg(AbstractUnary):
    """-x"""

    rounds = False


class Abs(AbstractUnary):
    """|x|, gradient 0 at 0"""

    rounds = False
    kinked = True


class Add(AbstractBinary):
    """a + b"""


class Sub(AbstractBinary):
    """a - b"""


class Mul(AbstractBinary):
    """a · b"""


class Div(AbstractBinary):
    """a / b"""


class Greater(AbstractComparison):
    """a > b"""


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

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return 2 * output.size() * int(inputs[0].shape[-1] or 1)
