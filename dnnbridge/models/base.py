"""`AbstractModel`: a layer with typed inputs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal

from dnnbridge.base.texts import WORDS
from dnnbridge.drawing.drawing import Drawing
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import SpecError
from dnnbridge.graph import BATCH, Dim, TensorType, Value
from dnnbridge.graph.types import DataType
from dnnbridge.layers import AbstractLayer, Activation
from dnnbridge.layers.base import LayerOutput
from dnnbridge.models.plotting import draw
from dnnbridge.models.summary import Summary, summarize
from dnnbridge.models.tracing import trace
from dnnbridge.specs.fields import PositiveInt, Shape
from dnnbridge.specs.spec import Spec, spec


@spec
class Input(Spec, AbstractSymbol):
    """Shape of one example, without the batch, and its dtype

    A `Sequential` starts with an `Input`. For a `Model`, layers are called on it. Operators and
    indices on it and on outputs of layers make layers too: `x * 0.5 + y`, `x[:, 1:]`.

    Args:
        shape: sizes of an example.
        dtype: "float32", "int32" for integers such as word numbers, "bool" for masks, or "string"
            for texts, which a `StringLookup` reads.
        name: name of the input for `fit`, if a model has several inputs.
        batch_size: number of examples of every batch. Layers with `stateful=True` need it; data
            with another number of rows than a multiple of it are then refused.

    Example:
        >>> str(Input((28, 28)).type)
        'float32[batch, 28, 28]'
    """

    shape: Shape
    dtype: DataType | Literal["string"] = "float32"
    name: str | None = None
    batch_size: PositiveInt | None = None

    @property
    def type(self) -> TensorType:
        """Type of a batch in the graph; a text is a digest there, which the host computes."""
        if self.dtype == "string":
            return TensorType((BATCH, *self.shape, WORDS), "int32", text=True)
        return TensorType((BATCH, *self.shape), self.dtype)

    def activated(self, activation: Any) -> LayerOutput:
        return Activation(activation)(self)


class AbstractModel(AbstractLayer):
    """Base of models: layers with typed inputs, which can be trained."""

    is_model: ClassVar[bool] = True
    takes_text: ClassVar[bool] = True

    @property
    @abstractmethod
    def input_types(self) -> dict[str, TensorType]:
        """Type of a batch of each input, by name, in order."""

    @property
    def input_type(self) -> TensorType:
        """Type of a batch of the input, for a model with one input."""
        types = self.input_types
        if len(types) != 1:
            raise SpecError(
                "the model has several inputs", where=type(self).__name__, got=", ".join(types)
            )
        return next(iter(types.values()))

    @property
    def batch_size(self) -> int | None:
        """Number of examples of every batch, if an input says it."""
        return None

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return ("prediction",)

    def __call__(self, *inputs: Any, **unknown: Any) -> Any:
        """Call the model as a layer of another model; several outputs give a tuple."""
        return super().__call__(*inputs, **unknown).each()

    @property
    def output_types(self) -> dict[str, TensorType]:
        """Type of a batch of each output, by name, in order."""
        outputs = trace(self)[0].outputs
        return dict(zip(self.output_names, (value.type for value in outputs), strict=True))

    @property
    def output_shape(self) -> tuple[Dim, ...]:
        """Shape of a batch of predictions, for a model with one output; None is the batch size."""
        types = self.output_types
        if len(types) != 1:
            raise SpecError(
                "the model has several outputs", where=type(self).__name__, got=", ".join(types)
            )
        return next(iter(types.values())).shape

    def summary(self) -> Summary:
        """Return shapes, weights and floating-point operations of every layer, for printing.

        Example:
            >>> from dnnbridge import Dense, Sequential
            >>> print(Sequential([Input((784,)), Dense(300, "relu"), Dense(10)]).summary())
            layer    kind   output        parameters    FLOPs
            dense    Dense  (batch, 300)     235,500  471,000
            dense_1  Dense  (batch, 10)        3,010    6,010
            238,510 parameters, 477,010 FLOPs per example
        """
        return summarize(self)

    def plot(self) -> Drawing:
        """Return a drawing of the layers, with names, shapes and numbers of weights.

        A notebook shows it; `model.plot().save("model.svg")` writes a file.

        Example:
            >>> from dnnbridge import Dense, Sequential
            >>> Sequential([Input((4,)), Dense(2)]).plot().svg[:4]
            '<svg'
        """
        return draw(self)

    def check_inputs(self, scope: Scope, inputs: tuple[Value, ...]) -> None:
        """Raise unless the inputs of a call have the types of the model's inputs."""
        given, types = [value.type for value in inputs], list(self.input_types.values())
        scope.require(
            given == types,
            f"{type(self).__name__} needs inputs {', '.join(map(str, types))}",
            got=", ".join(map(str, given)),
        )
        scope.fix_batch(self.batch_size)

    def check_outputs(self, scope: Scope, outputs: tuple[Value, ...]) -> None:
        """Raise if an output is an input of texts, which has no numbers."""
        for value in outputs:
            scope.require(
                not value.type.text,
                "texts cannot be an output of a model",
                got=str(value.type),
                hint="Put a StringLookup after the Input.",
            )
