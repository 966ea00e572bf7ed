"""`Value`: a symbolic tensor, over which equations are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from dnnbridge.errors import DTypeError
from dnnbridge.graph.arithmetic import Abs, Add, Div, Greater, MatMul, Mul, Neg, Sub
from dnnbridge.graph.op import Op
from dnnbridge.graph.types import Dim, DType, TensorType

if TYPE_CHECKING:
    from dnnbridge.graph.builder import Builder


@dataclass(frozen=True, eq=False)
class Value:
    """A symbolic tensor: the output of a node or an input of a graph.

    Arithmetic records nodes in the builder that owns the value. Python numbers become constants
    of full precision; comparisons give `bool` values, except `==`, which stays identity
    (use `ops.equal`).
    """

    builder: Builder
    name: str
    type: TensorType

    @property
    def shape(self) -> tuple[Dim, ...]:
        return self.type.shape

    @property
    def rank(self) -> int:
        return self.type.rank

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    def in_type(self, dtype: DType) -> Value:
        """Return another value of the same shape and graph, for a pass that changes types."""
        return Value(self.builder, f"{self.name}_{dtype}", self.type.with_dtype(dtype))

    __array_ufunc__ = None  # NumPy must leave its operators to this class.

    def __bool__(self) -> bool:
        raise DTypeError(
            "a symbolic value has no truth value",
            where=self.builder.path,
            got=repr(self),
            hint="Choose between two values with ops.where.",
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise DTypeError(
            "NumPy cannot compute with a symbolic value",
            where=self.builder.path,
            got=repr(self),
            hint="Use operators and the functions of db.ops.",
        )

    def __iter__(self) -> NoReturn:
        raise DTypeError(
            "a symbolic value cannot be iterated over", where=self.builder.path, got=repr(self)
        )

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"

    def __add__(self, other: Operand) -> Value:
        return _binary(Add(), self, other)

    def __radd__(self, other: Operand) -> Value:
        return _binary(Add(), other, self)

    def __sub__(self, other: Operand) -> Value:
        return _binary(Sub(), self, other)

    def __rsub__(self, other: Operand) -> Value:
        return _binary(Sub(), other, self)

    def __mul__(self, other: Operand) -> Value:
        return _binary(Mul(), self, other)

    def __rmul__(self, other: Operand) -> Value:
        return _binary(Mul(), other, self)

    def __truediv__(self, other: Operand) -> Value:
        return _binary(Div(), self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return _binary(Div(), other, self)

    def __matmul__(self, other: Value) -> Value:
        return _binary(MatMul(), self, other)

    def __gt__(self, other: Operand) -> Value:
        return _binary(Greater(), self, other)

    def __lt__(self, other: Operand) -> Value:
        return _binary(Greater(), other, self)

    def __neg__(self) -> Value:
        return self.builder.add(Neg(), self)

    def __abs__(self) -> Value:
        return self.builder.add(Abs(), self)

    def __pow__(self, exponent: int) -> Value:
        if type(exponent) is not int or not 1 <= exponent <= 16:
            raise DTypeError(
                "a power of a symbolic value must be a whole number from 1 to 16",
                where=self.builder.path,
                got=repr(exponent),
                hint="Use ops.sqrt(x), or ops.exp(n * ops.log(x)) for x > 0.",
            )
        made = self
        for _ in range(exponent - 1):
            made = made * self
        return made


Operand = Value | float


def _binary(op: Op, a: Operand, b: Operand) -> Value:
    builder = a.builder if isinstance(a, Value) else b.builder  # type: ignore[union-attr]
    return builder.add(op, a, b)
