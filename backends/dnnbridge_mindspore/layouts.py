"""`Layouts`: which values of a graph are written with their channels first.

MindSpore's window kernels need channels first on the CPU; specs have them last. The result of such
a kernel stays channels-first for the next one, through activations, biases and normalizations. A
transpose is written once, if another operation reads the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dnnbridge.backend import Node, Op, TensorType, Value, ops
from dnnbridge_mindspore.names import Names, Operand

POINTWISE: frozenset[type[Op]] = frozenset(
    {
        *(
            ops.Abs,
            ops.Add,
            ops.Cast,
            ops.Clip,
            ops.Div,
            ops.Erfc,
            ops.Exp,
            ops.Expm1,
            ops.Log,
            ops.Maximum,
        ),
        *(ops.Minimum, ops.Mul, ops.Neg, ops.Relu, ops.Sigmoid, ops.Sign, ops.Softplus, ops.Sqrt),
        *(ops.Square, ops.Sub, ops.Tanh),
    }
)
"""Element-wise operations, for which the position of the channels does not matter."""

WITH_CHANNELS = (ops.Add, ops.Mul, ops.Sub)
"""Operations whose second input may have one number per channel."""

OVER_AXES = (ops.ReduceMax, ops.ReduceMean, ops.ReduceSum)


class Layouts:
    """The layouts of the values of a class, and the source lines that convert them."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._first: dict[Value, str] = {}
        self._both: set[Value] = set()

    def first(self, value: Value) -> tuple[list[str], Operand]:
        """Return the lines that put the channels of a value first, and the converted operand."""
        lines = []
        if value not in self._first:
            lines = [f"{self.made(value)} = {_turned(self._names[value], _to_first(value.rank))}"]
            self._both.add(value)
        return lines, Operand(self._first[value], _first_type(value))

    def made(self, value: Value) -> str:
        """Return the name of a new value with its channels first."""
        self._first[value] = f"{self._names[value]}_first"
        return self._first[value]

    def last(self, values: Iterable[Value]) -> list[str]:
        """Return the lines that put the channels of values last if they are first."""
        lines = []
        for value in dict.fromkeys(values):
            if self.is_first(value):
                turned = _turned(self._first[value], _to_last(value.rank))
                lines.append(f"{self._names[value]} = {turned}")
                self._both.add(value)
        return lines

    def follow(self, node: Node) -> list[Operand] | None:
        """Return the operands of an element-wise node that can stay channels-first, or None."""
        if type(node.op) not in POINTWISE or not any(map(self.is_first, node.inputs)):
            return None
        shape = node.outputs[0].shape
        if all(v.rank == 0 or (self.is_first(v) and v.shape == shape) for v in node.inputs):
            return [self._operand(value) for value in node.inputs]
        return None

    def over_channels(self, node: Node) -> list[Operand] | None:
        """Return (x, one number per channel) if the node combines these and x is channels-first."""
        if not isinstance(node.op, WITH_CHANNELS):
            return None
        pairs = [node.inputs] if isinstance(node.op, ops.Sub) else [node.inputs, node.inputs[::-1]]
        for x, small in pairs:
            if self.is_first(x) and small.shape == (*(1,) * (small.rank - 1), x.shape[-1]):
                return [self._operand(x), Operand(self._names[small], small.type)]
        return None

    def over_space(self, node: Node) -> tuple[Op, Operand] | None:
        """Return the channels-first form of a reduction over all spatial axes, or None."""
        op = node.op
        if not isinstance(op, OVER_AXES) or op.keepdims or not self.is_first(node.inputs[0]):
            return None
        rank = node.inputs[0].rank
        if tuple(sorted(op.axes)) != tuple(range(1, rank - 1)):
            return None
        return replace(op, axes=tuple(range(2, rank))), self._operand(node.inputs[0])

    def is_first(self, value: Value) -> bool:
        """Return whether a value exists only with its channels first."""
        return value in self._first and value not in self._both

    def _operand(self, value: Value) -> Operand:
        if self.is_first(value):
            return Operand(self._first[value], _first_type(value))
        return Operand(self._names[value], value.type)


def _turned(name: str, permutation: tuple[int, ...]) -> str:
    return f"kernels.TRANSPOSE({name}, {permutation})"


def _to_first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


def _to_last(rank: int) -> tuple[int, ...]:
    return (0, *range(2, rank), 1)


def _first_type(value: Value) -> TensorType:
    return value.type.with_shape(tuple(value.shape[axis] for axis in _to_first(value.rank)))
