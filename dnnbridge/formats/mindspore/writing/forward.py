"""The forward pass of a run: the calls of its layers, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from dnnbridge.graph import Call, Graph, Node, Value, ValueAndGrad, inline
from dnnbridge.models import AbstractModel
from dnnbridge.program.program import Function, Program


def _without_models(graph: Graph) -> Graph:
    """Return a graph with the calls of models replaced by their nodes; other calls stay whole."""
    return inline(graph, lambda call: not isinstance(cast(Call, call.op).spec, AbstractModel))


@dataclass(frozen=True)
class LayerCall:
    """A call of a layer, as it is in training and in prediction.

    Attributes:
        training: the call in training.
        prediction: the call in prediction.
    """

    training: Node
    prediction: Node

    @property
    def path(self) -> str:
        return self.training.path

    @property
    def spec(self) -> object:
        assert isinstance(self.training.op, Call)
        return self.training.op.spec


@dataclass
class Forward:
    """What the training step of a program computes before the updates.

    Attributes:
        calls: the layers, in order.
        rest: the nodes of losses, penalties and metrics.
        graph: the forward pass of training, with the models in it replaced by their layers.
        names: the state array or the feed that each input of the two graphs is. It is also known
            for a running statistic that an earlier call of the same layer has changed.
        changed: the running statistic that a result of a call is the next value of.
        predicted: the predictions as values of training.
        prediction: the graph of prediction, with the models in it replaced by their layers.
    """

    graph: Graph
    prediction: Graph
    names: dict[Value, str] = field(default_factory=dict)
    calls: list[LayerCall] = field(default_factory=list)
    rest: list[Node] = field(default_factory=list)
    changed: dict[Value, str] = field(default_factory=dict)
    predicted: tuple[Value, ...] = ()


def gradient_node(function: Function) -> Node:
    """Return the node that computes loss and gradients."""
    return next(n for n in function.graph.nodes if isinstance(n.op, ValueAndGrad))


def forward_of(program: Program) -> Forward:
    """Return the forward pass of a program."""
    train, predict = program.functions["train"], program.functions["predict"]
    node = gradient_node(train)
    assert node.body is not None
    made = Forward(_without_models(node.body), _without_models(predict.graph))
    for inner, outer in zip(node.body.inputs, node.inputs, strict=True):
        made.names[inner] = train.state.get(outer, outer.name)
    for value in predict.graph.inputs:
        made.names[value] = predict.state.get(value, value.name)
    _pair(made)
    writes = dict(zip(train.graph.outputs[len(train.results) :], train.writes, strict=True))
    for inner, outer in zip(made.graph.outputs, node.outputs, strict=False):
        if outer in writes:
            made.changed[inner] = writes[outer]
    _follow(made)
    return made


def _pair(made: Forward) -> None:
    """Find the call in training of every call in prediction."""
    waiting = list(made.prediction.nodes)
    same: dict[Value, Value] = {}
    for node in made.graph.nodes:
        if waiting and (node.path, node.op) == (waiting[0].path, _plain(waiting[0], node)):
            other = waiting.pop(0)
            made.calls.append(LayerCall(node, other))
            same.update(zip(other.outputs, node.outputs, strict=False))
        else:
            made.rest.append(node)
    assert not waiting, "prediction has a layer that training has not"
    inputs = {made.names[v]: v for v in made.graph.inputs}
    for value in made.prediction.inputs:
        same[value] = inputs.get(made.names[value], value)
    made.predicted = tuple(same[value] for value in made.prediction.outputs)


def _plain(other: Node, node: Node) -> object:
    """Return the operation of a node, whether its call is exposed as in the other or not."""
    if isinstance(other.op, Call) and isinstance(node.op, Call):
        return node.op if other.op.spec == node.op.spec else other.op
    return other.op


def _follow(made: Forward) -> None:
    """Find the running statistics that later calls of a layer read from earlier ones."""
    updates: dict[str, dict[int, str]] = {}
    for call in made.calls:
        for place, value in enumerate(call.training.outputs):
            if value in made.changed:
                updates.setdefault(call.path, {})[place] = made.changed[value]
    for call in made.calls:
        for place, name in updates.get(call.path, {}).items():
            value = call.training.outputs[place]
            if value not in made.changed:  # a later call changes it again
                made.changed[value] = made.names[value] = name
