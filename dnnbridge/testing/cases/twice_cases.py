"""Cases of layers that a model calls twice: one set of weights gets the gradients of both calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.layers import AbstractLayer, BatchNormalization, Dense
from dnnbridge.models import Input, Model
from dnnbridge.specs.fields import PositiveInt
from dnnbridge.specs.spec import spec
from dnnbridge.testing.cases.equation_case import EquationCase, normal
from dnnbridge.testing.redrawing import redrawn

KINDS: Mapping[str, Literal["float32", "int32", "string"]] = {
    "f": "float32",
    "i": "int32",
    "U": "string",
}
"""The dtype of an input by the kind of its array."""


@spec
class MadeOfLayers(AbstractLayer):
    """A residual block: x + Dense(BatchNormalization(Dense(x))), of layers made in `emit`."""

    units: PositiveInt

    def emit(self, scope: Scope, x: Value) -> Value:
        h = scope.call(Dense(self.units, use_bias=False), x, name="widen")
        h = scope.call(BatchNormalization(), h, name="norm")
        size = scope.known(x.shape[-1], "the features")
        return x + scope.call(Dense(size, "prelu"), h)


MADE_OF_LAYERS = EquationCase("MadeOfLayers", MadeOfLayers(5), (normal(6, 3),), reduced=12)
"""A layer made of other layers, as third parties write them."""


def twice(case: EquationCase) -> EquationCase:
    """Return a case of a model that calls the case's layer on two sets of inputs."""
    layer = case.spec
    assert isinstance(layer, AbstractLayer)
    again = tuple(redrawn(array[::-1], 1, f"{case.id} twice") for array in case.inputs)
    first, second = _inputs(case.inputs), _inputs(again)
    return replace(
        case,
        id=f"{type(layer).__name__}-twice",
        spec=Model([*first, *second], [layer(*first), layer(*second)]),
        inputs=(*case.inputs, *again),
        reduced=2 * case.reduced,
        of=layer,
        witness=None,
    )


def _inputs(arrays: Iterable[Array]) -> list[Input]:
    return [Input(a.shape[1:], KINDS[a.dtype.kind]) for a in arrays]


def twice_cases(cases: Iterable[EquationCase]) -> list[EquationCase]:
    """Return such a case for each layer, made from the layer's first case."""
    found: dict[type, EquationCase] = {}
    for case in [*cases, MADE_OF_LAYERS]:
        if isinstance(case.spec, AbstractLayer) and case.of is None and case.batched:
            found.setdefault(type(case.spec), case)
    return [twice(case) for case in found.values()]
