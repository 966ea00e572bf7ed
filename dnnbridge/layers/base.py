"""What a layer is: a spec that writes its equation over symbolic values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dnnbridge.base.calling import inputs_wrong
from dnnbridge.base.messages import shorten, what
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import ArgumentError
from dnnbridge.specs.spec import Spec

CALL_HINTS = {
    "training": "Leave it out: fit trains; predict does not, unless it has training=True.",
    "mask": "Give the mask as the second input: layer(x, mask).",
    "initial_state": "A recurrent layer begins with zeros; another start cannot be given.",
    "return_attention_scores": "Leave it out: a layer gives one result.",
}
"""What to do in place of arguments that calls of layers have elsewhere."""


@dataclass(frozen=True, kw_only=True)
class AbstractLayer(Spec):
    """Base of layers. A subclass is decorated with `spec` and defines `emit`.

    Args:
        name: unique name in the model; by default the kind in snake case with a number from the
            second one on: dense, dense_1.
    """

    is_model: ClassVar[bool] = False

    name: str | None = None

    @property
    @abstractmethod
    def emit(self) -> Any:
        """(scope, *inputs) -> a value: write the equation, declare arrays through the scope."""

    def __call__(
        self, *inputs: AbstractSymbol | Sequence[AbstractSymbol], **unknown: Any
    ) -> LayerOutput:
        """Call the layer on inputs or on what other layers gave, for a `Model`.

        It gives a place in a model, no numbers: those come from a compiled experiment.

        Raises:
            ArgumentError: it is called on numbers, on too many or too few inputs, or with an
                argument that it does not have.
        """
        kind = type(self).__name__
        if unknown:
            name, value = next(iter(unknown.items()))
            raise ArgumentError(
                "a layer is called on its inputs only",
                where=kind,
                got=f"{name}={shorten(value, 60)}",
                hint=CALL_HINTS.get(name, "Give inputs by place: layer(x), or layer(x, mask)."),
            )
        given: list[Any] = []
        for each in inputs:
            given += each if isinstance(each, (list, tuple)) else [each]
        for each in given:
            _require_symbol(self, each)
        if wrong := inputs_wrong(self.emit, len(given)):
            raise ArgumentError(f"{kind} {wrong}", where=kind, got=f"{len(given)}")
        return LayerOutput(self, tuple(given))


def _require_symbol(layer: AbstractLayer, given: Any) -> None:
    """Raise unless this is what a layer is called on; the message says what gives numbers."""
    if isinstance(given, AbstractSymbol):
        return
    if isinstance(given, (type, Spec)):
        hint = "Call that on an Input first: layer(other(x))."
    elif layer.is_model:
        hint = "For numbers write db.compile(experiment).predict(x)."
    else:
        hint = (
            "It has weights only in a model: "
            "for numbers write db.compile(experiment).predict(x) with a model that has it."
        )
    raise ArgumentError(
        "is called on Inputs and on what other layers gave",
        where=type(layer).__name__,
        got=what(given),
        hint=hint,
    )


class LayerOutput(AbstractSymbol):
    """What a layer gives when it is called: a place in a `Model`, equal to itself alone.

    Attributes:
        layer: what was called.
        inputs: what it was called on.
        output: which of several outputs it is; `inputs` is then the call alone.
    """

    def __init__(
        self,
        layer: AbstractLayer,
        inputs: tuple[AbstractSymbol, ...],
        output: str | None = None,
    ) -> None:
        self.layer, self.inputs, self.output = layer, inputs, output

    def activated(self, activation: Any) -> LayerOutput:
        from dnnbridge.layers.activation import Activation

        return Activation(activation)(self)
