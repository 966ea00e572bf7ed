"""`Scope`: what a layer sees while it writes its equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dnnbridge.errors import DTypeError, ShapeError
from dnnbridge.graph import Builder, Dim, DType, TensorType, Value
from dnnbridge.graph.types import shape_text

if TYPE_CHECKING:
    from dnnbridge.initializers import AbstractInitializer
    from dnnbridge.randomness import AbstractDistribution
    from dnnbridge.specification import Spec


@dataclass(frozen=True)
class Parameter:
    """A trainable array: its unique name, shape and how it starts."""

    name: str
    shape: tuple[int, ...]
    initializer: AbstractInitializer


@dataclass(frozen=True)
class RandomInput:
    """An array that the runtime draws anew at every step."""

    name: str
    type: TensorType
    distribution: AbstractDistribution


@dataclass
class Declarations:
    """Parameters and random inputs in the order in which the layers declared them."""

    root: Builder
    parameters: dict[str, tuple[Parameter, Value]] = field(default_factory=dict)
    randoms: dict[str, tuple[RandomInput, Value]] = field(default_factory=dict)


class Scope:
    """Where an equation is written: a path, a graph being built, and a way to declare arrays.

    Attributes:
        path: names of the surrounding layers, joined with "/".
        training: whether the graph is for training, as opposed to evaluation and prediction.
    """

    def __init__(
        self, builder: Builder, declarations: Declarations, training: bool, path: str = ""
    ) -> None:
        self.builder, self.training, self.path = builder, training, path
        self._declarations = declarations

    def parameter(self, name: str, shape: Sequence[Dim], initializer: AbstractInitializer) -> Value:
        """Declare a trainable float32 array `path/name` and return it.

        A second declaration of the same name returns the same array: the weights are shared.
        """
        full, sizes = self._full(name), tuple(self.known(dim, name) for dim in shape)
        declared = self._declarations.parameters.get(full)
        if declared is None:
            value = self._declarations.root.input(full, TensorType(sizes))
            declared = Parameter(full, sizes, initializer), value
            self._declarations.parameters[full] = declared
        self.require(
            declared[0].shape == sizes,
            "a shared parameter keeps its shape",
            got=f"{name} of shape ({shape_text(sizes)}) after ({shape_text(declared[0].shape)})",
            hint="Give every input of a shared layer the same sizes.",
        )
        return self.builder.local(declared[1])

    def random(
        self, name: str, shape: tuple[Dim, ...], distribution: AbstractDistribution
    ) -> Value:
        """Declare a float32 array that is drawn at every step, the same on every backend."""
        full, type = self._full(name), TensorType(shape)
        if full not in self._declarations.randoms:
            value = self._declarations.root.input(full, type)
            self._declarations.randoms[full] = RandomInput(full, type, distribution), value
        return self.builder.local(self._declarations.randoms[full][1])

    def call(self, emitter: Spec, *values: Value, name: str = "") -> Value:
        """Record `emitter.emit(scope, *values)` as one call, under `path/name`."""
        path = self._full(name) if name else self.path

        def write(body: Builder, inputs: tuple[Value, ...]) -> Sequence[Value]:
            inner = Scope(body, self._declarations, self.training, path)
            return [emitter.emit(inner, *inputs)]  # type: ignore[attr-defined]

        return self.builder.call(emitter, path, values, write)[0]

    def require(self, holds: bool, what: str, *, got: str = "", hint: str = "") -> None:
        """Raise a ShapeError at this path unless the condition holds."""
        if not holds:
            raise ShapeError(what, where=self.path, got=got, hint=hint)

    def require_dtype(self, value: Value, dtype: DType, what: str, hint: str) -> None:
        """Raise a DTypeError at this path unless the value has the dtype."""
        if value.dtype != dtype:
            raise DTypeError(what, where=self.path, got=str(value.type), hint=hint)

    def known(self, dim: Dim, what: str) -> int:
        """Return a size that must not be the batch."""
        if dim is None:
            raise ShapeError(
                f"{what} would depend on the batch size",
                where=self.path,
                got="the batch axis",
                hint="Put the features in another axis than the first.",
            )
        return dim

    def _full(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name
