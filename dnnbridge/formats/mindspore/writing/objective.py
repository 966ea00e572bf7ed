"""The class `Loss`: what a step minimises, from predictions and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.formats.mindspore.writing.body import Body
from dnnbridge.formats.mindspore.writing.forward import Forward
from dnnbridge.formats.mindspore.writing.generated import flat
from dnnbridge.formats.mindspore.writing.placement import Placement
from dnnbridge.formats.mindspore.writing.reserved import FUNCTION_NAMES
from dnnbridge.formats.mindspore.writing.text import Text
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import ConstantArray, Graph, Node, Value, inline
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.program.program import Program


@dataclass
class Objective:
    """The lines of `Loss.construct`, and what they need.

    Attributes:
        wanted: the values of the network that the loss reads.
        lines: the lines after the call of the network.
        result: the expression of the loss.
        labels: the identifier of each feed of labels.
        constants: arrays of numbers by attribute.
    """

    wanted: list[Value]
    lines: list[str] = field(default_factory=list)
    result: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    constants: dict[str, ConstantArray] = field(default_factory=dict)


def wanted_values(forward: Forward) -> list[Value]:
    """Return the predictions, then the other values of the network that the loss reads."""
    made = {v for call in forward.calls for v in call.training.outputs}
    _, read = _loss_nodes(forward)
    extra = [v for v in read if v in made and v not in forward.predicted]
    return [*forward.predicted, *extra]


def _loss_nodes(forward: Forward) -> tuple[list[Node], list[Value]]:
    """Return the operations of the loss, and the values that they read from elsewhere."""
    needed, wanted = [], {forward.graph.outputs[0]: None}
    for node in reversed(forward.rest):
        if any(value in wanted for value in node.outputs):
            needed.append(node)
            wanted.update(dict.fromkeys(node.inputs))
    inner = {v for n in needed for v in n.outputs}
    return needed[::-1], [v for v in wanted if v not in inner]


def write_objective(
    forward: Forward,
    program: Program,
    placements: Mapping[str, Placement],
    arguments: Mapping[str, str],
    helpers: set[str],
) -> Objective:
    """Return the loss of a batch.

    Args:
        forward: the forward pass.
        program: for the shapes of weights, which penalties read.
        placements: where the weights are.
        arguments: the identifiers of the inputs of the network.
        helpers: receives the names of helper functions that are used.
    """
    made = Objective(wanted_values(forward))
    names = Names([*FUNCTION_NAMES, *arguments.values()])
    for key in (o.labels_feed for o in program.objectives.values()):
        made.labels[key] = names.of(key.partition(":")[2])

    def constant(op: ConstantArray) -> Text:
        attribute = f"constant_{len(made.constants)}"
        found = next((a for a, c in made.constants.items() if c == op), attribute)
        made.constants[found] = op
        return Text(f"self.{found}")

    labels = next(iter(made.labels.values()))
    body = Body(names, helpers, constant, labels)
    nodes, read = _loss_nodes(forward)
    results = [
        Text(names.of("prediction" if i < len(forward.predicted) else "value"))
        for i in range(len(made.wanted))
    ]
    body.known.update(zip(made.wanted, results, strict=True))
    for value in read:
        _give(body, value, forward.names.get(value, ""), made, placements, program)
    graph = inline(Graph("loss", tuple(read), tuple(nodes), (forward.graph.outputs[0],)))
    body.write(graph.nodes, graph.outputs)
    made.result = str(body.known[graph.outputs[0]])
    given = ", ".join(arguments.values())
    more = len(made.wanted) > len(forward.predicted)
    call = f"self.net.forward({given})" if more else f"self.net({given})"
    made.lines = flat([f"{', '.join(results)} = {call}", *body.lines])
    return made


def _give(
    body: Body,
    value: Value,
    name: str,
    made: Objective,
    placements: Mapping[str, Placement],
    program: Program,
) -> None:
    """Tell the source of a value that the loss reads."""
    if name == MASK or name.startswith(WEIGHTS):
        body.give_mask(value)
    elif name == NORMALIZER:
        body.give_normalizer(value)
    elif name in made.labels:
        body.known[value] = Text(made.labels[name])
    elif name in placements:
        place = placements[name]
        shape = program.state[name].shape
        body.known[value] = place.layout.here_source(f"self.net.{place.name}", shape)
