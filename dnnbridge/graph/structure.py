"""Operations that give a graph its structure: constants, calls of specs, derivatives, loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import DTypeError, ShapeError
from dnnbridge.graph.op import Op, require_dtype
from dnnbridge.graph.types import DType, TensorType, shape_text

if TYPE_CHECKING:
    from dnnbridge.graph.node import Graph


@dataclass(frozen=True)
class Constant(Op):
    """A number, stored as a Python number and rounded once, at its use."""

    value: float
    dtype: DType = "float32"

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType((), self.dtype)


_KINDS: dict[str, tuple[DType, Any]] = {
    "f": ("float32", np.float64),
    "i": ("int32", np.int32),
    "b": ("bool", np.bool_),
}


@dataclass(frozen=True)
class ConstantArray(Op):
    """An array of numbers, stored in float64 (or int32, bool) and rounded once, at its use.

    It is stored as bytes, so that equal arrays make equal operations.
    """

    shape: tuple[int, ...]
    dtype: DType
    data: bytes

    @classmethod
    def of(cls, given: Any) -> ConstantArray:
        """Hold an array.

        Raises:
            DTypeError: the elements are not floats, whole numbers within int32, or booleans.
        """
        array = np.asarray(given)
        dtype, kept = _KINDS.get(array.dtype.kind, ("float32", None))
        if kept is None or (dtype == "int32" and (array != array.astype(np.int32)).any()):
            raise DTypeError("a constant must be float, int32 or bool", got=str(array.dtype))
        return cls(array.shape, dtype, np.ascontiguousarray(array, kept).tobytes())

    @property
    def array(self) -> Array:
        """The numbers; read-only."""
        kept = (dict(_KINDS.values()) | {"float64": np.float64})[self.dtype]
        return cast(Array, np.frombuffer(self.data, kept).reshape(self.shape))

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(self.shape, self.dtype)

    def __str__(self) -> str:
        return f"ConstantArray[{self.dtype}{list(self.shape)}]"


@dataclass(frozen=True)
class Call(Op):
    """A composite: the spec that emitted the body. A backend may lower it as a whole.

    Attributes:
        spec: what was called.
        exposed: whether it also returns a value of its body that the spec does not emit. No kernel
            of a backend returns it, so a backend never claims such a call.
        recomputed: whether the backward pass computes the body again, from the inputs, so that the
            values inside need not be kept until then. `flatten` makes it a `Recompute` for a
            backend that can do this.
    """

    spec: object
    exposed: bool = False
    recomputed: bool = False

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        assert body is not None
        return tuple(value.type for value in body.outputs)

    def __str__(self) -> str:
        return type(self.spec).__name__ + (" (recomputed)" if self.recomputed else "")


@dataclass(frozen=True)
class Recompute(Op):
    """The outputs of the body, whose inner values are computed again for the derivative.

    The numbers are those of the body. A derivative keeps the inputs alone.
    """

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        assert body is not None
        return tuple(value.type for value in body.outputs)


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


@dataclass(frozen=True)
class Scan(Op):
    """A loop: the body runs once per step, on one slice of each sequence.

    Inputs are the initial carries, the sequences, whose first axis is time, and the values that
    the body captured. At every step the body takes the carries, one slice of each sequence and
    the captured values. It returns the next carries and the results of the step. Outputs are the
    last carries, then the results of the steps, stacked along a new first axis.

    Attributes:
        carries: how many carries there are.
        sequences: how many sequences there are.
        length: the number of steps.
    """

    carries: int
    sequences: int
    length: int

    @property
    def times(self) -> int:
        return self.length

    def infer_with(
        self, body: Graph | None, types: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        assert body is not None
        made = tuple(value.type for value in body.outputs)
        if made[: self.carries] != types[: self.carries]:
            raise ShapeError(
                "a carry must keep its type from step to step",
                got=f"{_listed(types[: self.carries])} and then {_listed(made[: self.carries])}",
                hint="Start the loop with values of the shapes that a step returns.",
            )
        for type in made:
            require_dtype(self, type, "float32")
        stacked = (type.with_shape((self.length, *type.shape)) for type in made[self.carries :])
        return (*made[: self.carries], *stacked)


def slice_type(type: TensorType, length: int) -> TensorType:
    """Return the type of one step of a sequence of `length` steps."""
    if type.rank < 1 or type.shape[0] != length:
        raise ShapeError(
            f"a sequence needs its {length} steps in the first axis",
            got=f"shape ({shape_text(type.shape)})",
            hint="Move the time axis to the front with ops.transpose.",
        )
    return type.with_shape(type.shape[1:])


def _listed(types: tuple[TensorType, ...]) -> str:
    return ", ".join(map(str, types)) or "nothing"
