"""`AbstractActivation`: a spec that writes an equation of one value."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.base.calling import explained
from dnnbridge.emit.calling import value_of
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.graph import Value
from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import NULL, by_name, of_kind, read_as
from dnnbridge.specs.resolving import named
from dnnbridge.specs.spec import Spec


class AbstractActivation(Spec):
    """Base of activations. A subclass defines `emit`; `alias` is its name in lower case."""

    @classmethod
    def of_field(cls, value: Any) -> AbstractActivation:
        return as_activation(value)

    @abstractmethod
    def emit(self, scope: Scope, x: Value) -> Value:
        """Write the equation for an input of any shape.

        The result has the same shape, except for GLU.
        """

    @explained(name="an activation")
    def __call__(self, x: Any) -> Any:
        """Return the values for an array, in float64; for an `Input`, the output in a `Model`.

        Weights, such as the slopes of PReLU, have their initial values.

        Example:
            >>> from dnnbridge import ReLU, Softmax
            >>> ReLU()([-1.0, 2.0])
            array([0., 2.])
            >>> Softmax()([1, 2, 5, 3]).round(4)
            array([0.0152, 0.0414, 0.831 , 0.1125])
        """
        if isinstance(x, AbstractSymbol):
            return x.activated(self)
        return value_of(lambda scope, given: scope.call(self, given, name="activation"), x)


_resolve = named(AbstractActivation)


def as_activation(value: Any) -> AbstractActivation:
    """Return an activation, given itself or its name; None means linear, as in Keras."""
    return _resolve("linear" if value is None else value)


ActivationLike = Annotated[
    str | AbstractActivation | None,
    PlainValidator(as_activation),
    read_as(of_kind(AbstractActivation), by_name(AbstractActivation), NULL),
]
"""Field of an activation, the name of one, or None: linear."""

ActivationField = Converted[AbstractActivation, ActivationLike]
"""What the field holds after validation."""
