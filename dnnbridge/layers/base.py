"""`AbstractLayer`: a spec that writes its equation over symbolic values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dnnbridge.base.calling import inputs_wrong
from dnnbridge.base.messages import shorten, what
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import ArgumentError
from dnnbridge.specs.spec import Spec

if TYPE_CHECKING:
    from dnnbridge.emit.scope import Scope
    from dnnbridge.graph import Value

CALL_HINTS = {
    "training": "Leave it out: fit uses training mode, and predict does with training=True.",
    "mask": "Give the mask as the second input: layer(x, mask).",
    "initial_state": "Only recurrent layers and Bidirectional start with given states.",
    "return_attention_scores": "Leave it out: attention returns one result.",
}
"""Hints for arguments that layer calls accept in Keras, but not here."""


@dataclass(frozen=True, kw_only=True)
class AbstractLayer(Spec):
    """Base of layers. A subclass is decorated with `spec` and defines `emit`.

    Args:
        name: unique name in the model; by default the class name in snake case, with a number from
            the second layer on: dense, dense_1.
    """

    is_model: ClassVar[bool] = False
    passes_mask: ClassVar[bool] = False
    """Whether the result has the mask of the first input, if that has one."""

    takes_text: ClassVar[bool] = False
    """Whether it can be called on an input of texts."""

    keeps_float32: ClassVar[bool] = False
    """Whether its equation needs the digits of float32, as statistics do, in a training in mixed
    precision too. Its result then has the type of its first input."""

    name: str | None = None

    @property
    @abstractmethod
    def emit(self) -> Any:
        """(scope, *inputs) -> a value: write the equation and declare arrays through the scope."""

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        """Return the mask of the (first) result, float32 of shape (batch, time): see `Scope.mask`.

        The scope is the one around the layer, and the inputs are values of it.
        """
        return scope.mask(inputs[0]) if self.passes_mask else None

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return ("output",)

    def __call__(
        self, *inputs: AbstractSymbol | Sequence[AbstractSymbol], **unknown: Any
    ) -> LayerOutput:
        """Call the layer on inputs or on outputs of other layers, for a `Model`.

        The result is symbolic. Only a compiled experiment computes numbers.

        Raises:
            ArgumentError: it is called on numbers, on too many or too few inputs, or with an
                unknown argument.
        """
        kind = type(self).__name__
        if unknown:
            name, value = next(iter(unknown.items()))
            raise ArgumentError(
                "a layer can be called on inputs only",
                where=kind,
                got=f"{name}={shorten(value, 60)}",
                hint=CALL_HINTS.get(name, "Give inputs by position: layer(x), or layer(x, mask)."),
            )
        given: list[Any] = []
        for each in inputs:
            given += each if isinstance(each, (list, tuple)) else [each]
        for each in given:
            require_symbol(self, each)
        if wrong := inputs_wrong(self.emit, len(given)):
            raise ArgumentError(f"{kind} {wrong}", where=kind, got=f"{len(given)}")
        return LayerOutput(self, tuple(given))


def require_symbol(layer: AbstractLayer, given: Any) -> None:
    """Raise unless this is symbolic; the message says how to compute numbers."""
    if isinstance(given, AbstractSymbol):
        return
    if isinstance(given, (type, Spec)):
        hint = "Call that layer on an Input first: layer(other(x))."
    elif layer.is_model:
        hint = "For numbers write db.compile(experiment).predict(x)."
    else:
        hint = (
            "A layer has weights only in a model. "
            "For numbers, put it into a model and write db.compile(experiment).predict(x)."
        )
    raise ArgumentError(
        "can be called only on Inputs and outputs of other layers",
        where=type(layer).__name__,
        got=what(given),
        hint=hint,
    )


class LayerOutput(AbstractSymbol):
    """The symbolic result of a layer call in a `Model`; it is equal only to itself.

    Attributes:
        layer: the layer that was called.
        inputs: the inputs of the call.
        output: name of one of several outputs; `inputs` then holds only the result of the call.
        initial_state: the states that a recurrent layer starts with, if they are given.
    """

    initial_state: tuple[AbstractSymbol, ...] = ()

    def __init__(
        self,
        layer: AbstractLayer,
        inputs: tuple[AbstractSymbol, ...],
        output: str | None = None,
    ) -> None:
        self.layer, self.inputs, self.output = layer, inputs, output

    @property
    def sources(self) -> tuple[AbstractSymbol, ...]:
        """Everything that the call reads."""
        return (*self.inputs, *self.initial_state)

    def each(self) -> Any:
        """Return the result of the call: itself, or a tuple if the layer has several outputs."""
        names = self.layer.output_names
        if len(names) == 1:
            return self
        return tuple(LayerOutput(self.layer, (self,), name) for name in names)

    def activated(self, activation: Any) -> LayerOutput:
        from dnnbridge.layers.activation import Activation

        return Activation(activation)(self)
