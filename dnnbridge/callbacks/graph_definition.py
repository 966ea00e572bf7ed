"""The graph of a model's layers in the form that TensorBoard draws."""

from __future__ import annotations

from typing import Any

from dnnbridge.graph import Value
from dnnbridge.models.base import AbstractModel
from dnnbridge.models.tracing import trace


def graph_definition(model: AbstractModel) -> Any:
    """Return a `GraphDef` of tensorboardX with a node for each input and each call of a layer."""
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.versions_pb2 import VersionDef

    graph, _ = trace(model)
    made = GraphDef(versions=VersionDef(producer=22))
    names: dict[Value, str] = {}
    for value in graph.inputs[: len(model.input_types)]:
        names[value] = _add(made, value.name, "Input", [])
    for node in graph.nodes:
        sources = list(dict.fromkeys(names[value] for value in node.inputs if value in names))
        name = _add(made, node.path, str(node.op), sources)
        names |= dict.fromkeys(node.outputs, name)
    return made


def _add(graph: Any, name: str, kind: str, sources: list[str]) -> str:
    """Add a node; a layer that is called again gets a number."""
    taken = {node.name for node in graph.node}
    own, number = name or kind, 1
    while own in taken:
        own, number = f"{name or kind}_{number}", number + 1
    graph.node.add(name=own, op=kind, input=sources)
    return own
