"""Symbolic inputs and outputs of layers: places in a model, without numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.messages import what
from dnnbridge.errors import ArgumentError
from dnnbridge.specs.spec import Spec

if TYPE_CHECKING:
    from dnnbridge.layers.base import LayerOutput

Number = int | float


class AbstractSymbol:
    """Base of an `Input` and of a layer's output.

    Operators and indices make layers. Between two symbols `+`, `-`, `*`, `/` and `@` make `Add`,
    `Subtract`, `Multiply`, `Divide` and `MatMul`. With a number, `+`, `-`, `*`, `/` and `**` make
    an `Elementwise`, and so do `-x` and `abs(x)`. `x[:, 1:]` makes a `Slice`.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x = Input((8, 3))
        >>> Model(x, x[:, 1:] - 0.5 * x[:, :-1]).output_shape
        (None, 7, 3)
    """

    __array_ufunc__ = None  # NumPy's numbers must leave operators to this class.
    __iter__: ClassVar[None] = None  # Indexing would make iteration endless.

    def activated(self, activation: Any) -> Any:
        """Return the output of an activation layer called on this."""
        raise NotImplementedError

    def __add__(self, other: AbstractSymbol | Number) -> LayerOutput:
        return _combined("Add", "add", self, other)

    def __radd__(self, other: Number) -> LayerOutput:
        return _combined("Add", "add", other, self)

    def __sub__(self, other: AbstractSymbol | Number) -> LayerOutput:
        return _combined("Subtract", "subtract", self, other)

    def __rsub__(self, other: Number) -> LayerOutput:
        return _combined("Subtract", "subtract", other, self)

    def __mul__(self, other: AbstractSymbol | Number) -> LayerOutput:
        return _combined("Multiply", "multiply", self, other)

    def __rmul__(self, other: Number) -> LayerOutput:
        return _combined("Multiply", "multiply", other, self)

    def __truediv__(self, other: AbstractSymbol | Number) -> LayerOutput:
        return _combined("Divide", "divide", self, other)

    def __rtruediv__(self, other: Number) -> LayerOutput:
        return _combined("Divide", "divide", other, self)

    def __pow__(self, exponent: Number) -> LayerOutput:
        return _combined("", "power", self, exponent)

    def __rpow__(self, base: Number) -> LayerOutput:
        return _combined("", "power", base, self)

    def __matmul__(self, other: AbstractSymbol) -> LayerOutput:
        return _combined("MatMul", "", self, other)

    def __rmatmul__(self, other: AbstractSymbol) -> LayerOutput:
        return _combined("MatMul", "", other, self)

    def __neg__(self) -> LayerOutput:
        return _called("Elementwise", self, operation="negative")

    def __abs__(self) -> LayerOutput:
        return _called("Elementwise", self, operation="abs")

    def __getitem__(self, indices: Any) -> LayerOutput:
        return _called("Slice", self, indices=indices)


def _called(layer: str, *inputs: AbstractSymbol, **fields: Any) -> LayerOutput:
    """Call a layer, made by its name: layers stand above this module."""
    made: Any = Spec.from_dict({"kind": f"layer.{layer}", **fields})
    output: LayerOutput = made(*inputs)
    return output


def _combined(layer: str, operation: str, a: Any, b: Any) -> LayerOutput:
    """Return the output of the layer of two symbols, or of the operation with a number."""
    symbol, other = (a, b) if isinstance(a, AbstractSymbol) else (b, a)
    if layer and isinstance(other, AbstractSymbol):
        return _called(layer, a, b)
    number = _number(other)
    if number is None or not operation:
        raise _wrong_operand(layer, operation, other)
    first = other is a and operation not in ("add", "multiply")
    return _called("Elementwise", symbol, operation=operation, number=number, number_first=first)


def _number(given: Any) -> float | None:
    """Return a number of Python or NumPy as a float; None if it is something else."""
    is_scalar = isinstance(given, (np.generic, np.ndarray)) and given.ndim == 0
    value = given.item() if is_scalar else given
    return float(value) if isinstance(value, (int, float)) and type(value) is not bool else None


def _wrong_operand(layer: str, operation: str, given: Any) -> ArgumentError:
    if not layer:
        takes, hint = "a number", "Write x ** 2, or 2.0 ** x."
    elif isinstance(given, (type, Spec)):
        takes, hint = "an output", "Call that layer on an Input first: other(x) + y."
    else:
        takes = "an Input or an output of a layer" + (" or a number" if operation else "")
        hint = "An array must be an Input of the model, or the weights of a layer."
    return ArgumentError(
        f"the other operand must be {takes}",
        where=operation or layer,
        got=what(given),
        hint=hint,
    )
