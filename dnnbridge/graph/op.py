"""`Op`: a primitive operation: its attributes and result type, without its computation."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from dnnbridge.errors import DTypeError
from dnnbridge.graph.types import DType, TensorType

if TYPE_CHECKING:
    from dnnbridge.graph.node import Graph


@dataclass(frozen=True)
class Op:
    """Base of all operations. A subclass is a frozen dataclass of its attributes.

    The class attributes hold for any operands.

    Attributes:
        rounds: whether the exact result may need rounding, for operands that are float32 or whole
            numbers up to 2²⁴. An operation that chooses, compares or moves numbers does not round.
        moves: whether numbers are only moved and nothing is computed.
        kinked: whether the value or the derivative jumps somewhere, so that a rounding before it
            may decide which piece of the function a number lies on.
    """

    rounds: ClassVar[bool] = True
    moves: ClassVar[bool] = False
    kinked: ClassVar[bool] = False

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of the result.

        Raises:
            ShapeError, DTypeError: the operands do not fit the operation.
        """
        raise NotImplementedError(type(self).__name__)

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        """Return the types of all results; only structural operations have several or a body."""
        return (self.infer(*types),)

    @property
    def times(self) -> int:
        """How often the body runs, if the operation has one."""
        return 1

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        """Return how many floating-point operations one example takes; a multiply-add is two."""
        if self.moves or not inputs:
            return 0
        return max(output.size(), *(type.size() for type in inputs))

    def __str__(self) -> str:
        attributes = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))
        return type(self).__name__ + (f"[{attributes}]" if attributes else "")


def require_dtype(op: Op, type: TensorType, *allowed: DType) -> None:
    """Raise unless an operand has one of the dtypes."""
    if type.dtype not in allowed:
        raise DTypeError(
            f"{op.__class__.__name__} takes {' or '.join(allowed)}",
            got=str(type),
            hint="Convert it with ops.cast.",
        )
