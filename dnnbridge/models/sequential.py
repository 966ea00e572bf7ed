"""Models as sequences of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.activations import AbstractActivation
from dnnbridge.base.messages import shorten, snake_case
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.layers import AbstractLayer, Activation
from dnnbridge.models.base import AbstractModel, Input
from dnnbridge.models.tracing import trace
from dnnbridge.specs.json_types import of_kind, one_of, read_as
from dnnbridge.specs.spec import spec


def _layers(value: Any) -> tuple[Input | AbstractLayer, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SpecError(
            "expected a list of layers", got=shorten(value), hint="Write [Input(…), …]."
        )
    items = [Activation(v) if isinstance(v, AbstractActivation) else v for v in value]
    if not items or not isinstance(items[0], Input):
        raise SpecError(
            "the first item must be an Input",
            got=shorten(items[0]) if items else "an empty list",
            hint="Start with the shape of one example, for example Input((784,)).",
        )
    for i, item in enumerate(items[1:], 1):
        if not isinstance(item, AbstractLayer):
            raise SpecError(
                "not a layer", where=f"[{i}]", got=shorten(item), hint="Give a layer: Dense(…)."
            )
    return tuple(items)


_LAYERS = {
    "type": "array",
    "prefixItems": [of_kind(Input)],
    "items": one_of(of_kind(AbstractLayer), of_kind(AbstractActivation)),
    "minItems": 1,
}


@spec
class Sequential(AbstractModel):
    """A sequence of layers

    Args:
        layers: an `Input`, then layers; an activation becomes an `Activation` layer.

    Example:
        >>> from dnnbridge import Dense
        >>> Sequential([Input((784,)), Dense(300, activation="relu"), Dense(10)]).output_shape
        (None, 10)
    """

    layers: Annotated[
        Iterable[Input | AbstractLayer | AbstractActivation],
        PlainValidator(_layers),
        read_as(_LAYERS),
    ]

    def __post_init__(self) -> None:
        names = [layer.name for layer in _layers(self.layers)[1:] if layer.name]
        for name in names:
            if names.count(name) > 1 or not name.replace("_", "").isalnum():
                raise SpecError(
                    "layer names must be unique, of letters, digits and underscores",
                    got=repr(name),
                    hint="Rename the layer.",
                )
        self._check_repeated(trace(self)[1].arrays)  # the trace raises for wrong shapes

    def _check_repeated(self, weights: Iterable[str]) -> None:
        """Raise if one layer with weights occurs twice, because its weights would not be shared."""
        seen: set[int] = set()
        for name, layer in self.named_layers():
            if id(layer) in seen and any(each.startswith(f"{name}/") for each in weights):
                raise SpecError(
                    "the same layer with weights occurs twice",
                    where=name,
                    got=shorten(layer),
                    hint="Create two layers, or use a Model to share weights.",
                )
            seen.add(id(layer))

    @property
    def input_types(self) -> dict[str, TensorType]:
        first = _layers(self.layers)[0]
        assert isinstance(first, Input)
        return {first.name or "x": first.type}

    @property
    def batch_size(self) -> int | None:
        first = _layers(self.layers)[0]
        return first.batch_size if isinstance(first, Input) else None

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        self.check_inputs(scope, inputs)
        (x,) = inputs
        for name, layer in self.named_layers():
            x = scope.call(layer, x, name=name)
        self.check_outputs(scope, (x,))
        return x

    def named_layers(self) -> list[tuple[str, AbstractLayer]]:
        """Return every layer with its name; unnamed layers are named by class, with numbers."""
        layers = [layer for layer in _layers(self.layers) if isinstance(layer, AbstractLayer)]
        taken = {layer.name for layer in layers}
        named: list[tuple[str, AbstractLayer]] = []
        for layer in layers:
            name = layer.name or snake_case(type(layer).__name__)
            number = 0
            while not layer.name and name in taken:
                number += 1
                name = f"{snake_case(type(layer).__name__)}_{number}"
            taken.add(name)
            named.append((name, layer))
        return named
