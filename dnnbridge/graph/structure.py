"""Operations that give a graph its structure: constants, calls of specs, differentiation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnnbridge.errors import ShapeError
from dnnbridge.graph.op import Op
from dnnbridge.graph.types import DType, TensorType

if TYPE_CHECKING:
    from dnnbridge.graph.node import Graph


@dataclass(frozen=True)
class Constant(Op):
    """A number, kept as Python has it and rounded once, where it is used."""

    value: float
    dtype: DType = "float32"

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType((), self.dtype)


@dataclass(frozen=True)
class Call(Op):
    """A composite: the spec that emitted the body. A backend may lower it as a whole."""

    spec: object

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        assert body is not None
        return tuple(value.type for value in body.outputs)

    def __str__(self) -> str:
        return type(self.spec).__name__


@dataclass(frozen=True)
class ValueAndGrad(Op):
    """Outputs of the body, then the gradients of its first output, a scalar.

    `wrt` are the positions of the inputs to differentiate by.
    """

    wrt: tuple[int, ...]

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        assert body is not None
        if body.outputs[0].rank != 0:
            raise ShapeError(
                "only a scalar can be differentiated",
                got=str(body.outputs[0].type),
                hint="Reduce the loss with ops.reduce_sum or ops.reduce_mean.",
            )
        return tuple(value.type for value in body.outputs) + tuple(types[i] for i in self.wrt)
