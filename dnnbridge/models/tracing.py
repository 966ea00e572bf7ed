"""The graph of a model alone, used for its summary and its drawing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dnnbridge.emit.declarations import Declarations
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Builder, Call, Graph, Value
from dnnbridge.layers import AbstractLayer
from dnnbridge.specs.rewriting import apart

if TYPE_CHECKING:
    from dnnbridge.models.base import AbstractModel


def trace(model: AbstractModel) -> tuple[Graph, Declarations]:
    """Return the graph of a prediction, with a call for each layer, and the declarations.

    The first inputs of the graph are those of the model.
    """
    builder = Builder("model")
    inputs = [builder.input(name, type) for name, type in model.input_types.items()]
    declared = Declarations(builder)
    made = apart(model).emit(Scope(builder, declared, training=False), *inputs)
    return builder.graph([made] if isinstance(made, Value) else made), declared


def layers_of(graph: Graph) -> Iterator[tuple[str, AbstractLayer]]:
    """Yield every layer of a model with its path, the outer ones first."""
    for node in graph.nodes:
        if isinstance(node.op, Call) and isinstance(node.op.spec, AbstractLayer):
            yield node.path, node.op.spec
        if node.body is not None:
            yield from layers_of(node.body)


def weights_below(path: str, declared: Declarations) -> dict[str, int]:
    """Return the sizes of the trainable weights of the layer with this path, by name."""
    return {
        name: math.prod(array.shape)
        for name, array in declared.arrays.items()
        if array.trainable and name.startswith(f"{path}/")
    }
