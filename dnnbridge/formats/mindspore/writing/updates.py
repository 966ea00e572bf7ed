"""The class `Optimizer`: the updates of a run, where no native optimizer makes the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnnbridge import ops
from dnnbridge.base.messages import snake_case
from dnnbridge.formats.mindspore.writing.body import Body
from dnnbridge.formats.mindspore.writing.flow import ELEMENTWISE
from dnnbridge.formats.mindspore.writing.forward import gradient_node
from dnnbridge.formats.mindspore.writing.generated import flat
from dnnbridge.formats.mindspore.writing.placement import SAME, Layout, Placement
from dnnbridge.formats.mindspore.writing.reserved import CELL_NAMES, FILE_NAMES, FUNCTION_NAMES
from dnnbridge.formats.mindspore.writing.text import Text
from dnnbridge.formats.source.expressions import wrapped
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import Call, ConstantArray, Node, Value, inline
from dnnbridge.program.program import Program

REDUCTIONS = (ops.ReduceSum, ops.ReduceMean, ops.ReduceMax)


@dataclass
class Updates:
    """What the class `Optimizer` is made of.

    Attributes:
        functions: the text of each function, by name.
        setup: the lines of the constructor.
        lines: the lines of `construct`.
        scalars: the identifier of each host scalar that it takes, by name.
        slots: where each array of the optimizer is, by its name here.
        unknown: what cannot be written.
    """

    functions: dict[str, str] = field(default_factory=dict)
    setup: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    scalars: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Placement] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def trained_weights(program: Program) -> list[str]:
    """Return the names of the weights that have a gradient, in the order of the gradients."""
    train = program.functions["train"]
    node = gradient_node(train)
    return [train.state[node.inputs[i]] for i in node.op.wrt]  # type: ignore[attr-defined]


class UpdateWriter:
    """Writes the operations between gradients and new weights.

    Args:
        program: the program.
        placements: where the weights are.
        helpers: receives the names of helper functions that are used.
    """

    def __init__(
        self, program: Program, placements: Mapping[str, Placement], helpers: set[str]
    ) -> None:
        self.program, self.placements, self.helpers = program, placements, helpers
        self.made = Updates()
        self.train = program.functions["train"]
        self.trained = trained_weights(program)
        self.attributes = Names([*CELL_NAMES, "net", "parameters", "global_step"])
        self.function_names = Names(FILE_NAMES)
        self.by_text: dict[tuple[str, str], str] = {}
        self.writes = self._writes()
        self.nodes = self._nodes()
        self.free = all(_is_free(n) for node in self.nodes for n in _inner(node))

    def write(self) -> Updates:
        """Return the optimizer."""
        self._state()
        if not self._loop():
            self._lines()
        return self.made

    def _writes(self) -> dict[str, Value]:
        """Return the new value of each weight and slot."""
        outputs = self.train.graph.outputs[len(self.train.results) :]
        found = dict(zip(self.train.writes, outputs, strict=True))
        buffers = {*self.program.layers} - {*self.trained}
        return {name: value for name, value in found.items() if name not in buffers}

    def _nodes(self) -> list[Node]:
        """Return the operations that the new values depend on, after the gradients."""
        wanted, found = set(self.writes.values()), []
        gradient = gradient_node(self.train)
        for node in reversed(self.train.graph.nodes):
            if node is not gradient and any(value in wanted for value in node.outputs):
                wanted.update(node.inputs)
                found.append(node)
        made = set(gradient.outputs[: -len(gradient.op.wrt)])  # type: ignore[attr-defined]
        if made & wanted:
            self.made.unknown.append("updates that depend on a result of the loss")
        return found[::-1]

    def _state(self) -> None:
        """Declare the slots."""
        for name in self.writes:
            weight, _, slot = name.partition(":")
            if not slot:
                continue
            place = self.placements.get(weight)
            layout = self._layout(weight) if self._is_like(name, weight) else SAME
            there = f"{slot.replace(':', '_')}.{place.name if place else weight}"
            self.made.slots[name] = Placement(there, layout)

    def _is_like(self, slot: str, weight: str) -> bool:
        state = self.program.state
        return weight in state and state[slot].shape == state[weight].shape

    def _layout(self, weight: str) -> Layout:
        """Return the layout in which the updates of a weight are computed."""
        place = self.placements.get(weight)
        return place.layout if place and self.free else SAME

    def _gradients(self) -> dict[Value, str]:
        outputs = gradient_node(self.train).outputs[-len(self.trained) :]
        return dict(zip(outputs, self.trained, strict=True))

    def _scalar(self, name: str) -> str:
        key = name.partition(":")[2]
        if key not in self.made.scalars:
            self.made.scalars[key] = _scalar_names(self.made.scalars.values()).of(key)
        return self.made.scalars[key]

    def _loop(self) -> bool:
        """Write a loop over the weights if all have the same update; return whether they have."""
        functions, patterns = set(), set()
        gradients = self._gradients()
        for node in self.nodes:
            if not isinstance(node.op, Call) or not self.free:
                return False
            weight = gradients.get(node.inputs[1], "") if len(node.inputs) > 1 else ""
            names = [self._input(v) for v in node.inputs]
            slots = [n.partition(":")[2] for n in names[2:] if n in self.made.slots]
            written = [n for n, v in self.writes.items() if v in node.outputs]
            if names[0] != weight or written != [weight, *(f"{weight}:{s}" for s in slots)]:
                return False
            if not all(n in self.made.slots or n.startswith("scalar:") for n in names[2:]):
                return False
            functions.add(self._function(node))
            patterns.add(
                tuple(n if n.startswith("scalar:") else n.partition(":")[2] for n in names[2:])
            )
        if len(functions) != 1 or len(patterns) != 1 or len(self.nodes) != len(self.trained):
            return False
        self._write_loop(functions.pop(), patterns.pop())
        return True

    def _input(self, value: Value) -> str:
        return self.train.state.get(value, value.name)

    def _write_loop(self, function: str, pattern: tuple[str, ...]) -> None:
        slots = [p for p in pattern if not p.startswith("scalar:")]
        names = {slot: self.attributes.of(slot) for slot in slots}
        for slot, attribute in names.items():
            clone = f'self.parameters.clone("{slot}", init="zeros")'
            self.made.setup.append(f"self.{attribute} = {clone}")
        given = [
            self._scalar(p) if p.startswith("scalar:") else f"self.{names[p]}[i]" for p in pattern
        ]
        results = ["p", *(f"new_{slot}" for slot in slots)]
        call = f"{function}({', '.join(['self.parameters[i]', 'gradients[i]', *given])})"
        assigns = [f"ops.assign(self.{names[slot]}[i], new_{slot})" for slot in slots]
        lines = [wrapped(f"{', '.join(results)} = {call}", 4)]
        lines += [f"    {line}" for line in ["ops.assign(self.parameters[i], p)", *assigns]]
        self.made.lines = flat(["for i in range(len(self.parameters)):", *lines])

    def _lines(self) -> None:
        """Write the update of every weight."""
        names = Names([*FUNCTION_NAMES, "gradients", "i"])
        body = Body(names, self.helpers, _no_constant, "gradients[0]")
        attributes = {}
        for name, place in self.made.slots.items():
            attributes[name] = attribute = self.attributes.of(name)
            array = self.program.state[name]
            shape = place.layout.shape or array.shape
            if place.layout.axes and not place.layout.shape:
                shape = tuple(array.shape[i] for i in place.layout.axes)
            made = f"weight({shape}, trained=False, name={place.name!r})"
            self.made.setup.append(wrapped(f"self.{attribute} = {made}"))
        for value, name in self.train.state.items():
            if name in attributes:
                body.known[value] = Text(f"self.{attributes[name]}")
            elif name in self.trained:
                body.known[value] = self._here(f"self.parameters[{self.trained.index(name)}]", name)
        for i, (value, name) in enumerate(self._gradients().items()):
            body.known[value] = self._here(f"gradients[{i}]", name)
        for value in self.train.feeds:
            if value.name.startswith("scalar:") and any(value in n.inputs for n in self.nodes):
                body.known[value] = Text(self._scalar(value.name))
        for name in self.made.scalars.values():
            names.of(name)
        self._write_nodes(body)
        for value in self.writes.values():
            body.named(value, "new")
        for name, value in self.writes.items():
            self._assign(body, name, value, attributes)
        self.made.lines = flat(body.lines)

    def _here(self, text: str, name: str) -> Text:
        place = self.placements[name]
        if self.free:
            return Text(text)
        return place.layout.here_source(text, self.program.state[name].shape)

    def _write_nodes(self, body: Body) -> None:
        waiting: list[Node] = []
        for node in self.nodes:
            if not isinstance(node.op, Call):
                waiting.append(node)
                continue
            before = [v for n in waiting for v in n.outputs]
            body.write(waiting, before)
            waiting = []
            given = ", ".join(body.known[v] for v in node.inputs)
            results = [Text(body.names.of("new")) for _ in node.outputs]
            body.line(f"{', '.join(results)} = {self._function(node)}({given})")
            body.known.update(zip(node.outputs, results, strict=True))
        body.write(waiting, [v for n in waiting for v in n.outputs])

    def _assign(self, body: Body, name: str, value: Value, attributes: Mapping[str, str]) -> None:
        text: str = body.known[value]
        if name in attributes:
            body.line(f"ops.assign(self.{attributes[name]}, {text})")
            return
        if not self.free:
            text = self.placements[name].layout.there_source(text)
        body.line(f"ops.assign(self.parameters[{self.trained.index(name)}], {text})")

    def _function(self, node: Node) -> str:
        """Return the name of the function of a call; equal functions are written once."""
        assert isinstance(node.op, Call)
        assert node.body is not None
        kind = snake_case(type(node.op.spec).__name__).strip("_")
        names = Names(FUNCTION_NAMES)
        given = [names.of(self._argument(v, i)) for i, v in enumerate(node.inputs)]
        body = Body(names, self.helpers, _no_constant, given[0])
        graph = inline(node.body)
        body.known.update(zip(graph.inputs, map(Text, given), strict=True))
        body.write(graph.nodes, graph.outputs)
        results = ", ".join(body.known[v] for v in graph.outputs)
        lines = flat([*body.lines, wrapped(f"return {results}")])
        text = "\n".join([f"({', '.join(given)}):", *(f"    {line}" for line in lines)])
        if (kind, text) not in self.by_text:
            self.by_text[kind, text] = name = self.function_names.of(kind)
            self.made.functions[name] = f"def {name}{text}\n"
        return self.by_text[kind, text]

    def _argument(self, value: Value, place: int) -> str:
        name = self._input(value)
        if place < 2 and not name.startswith("scalar:"):
            return "pg"[place]
        return name.rpartition(":")[2] if ":" in name else "x"


def _scalar_names(taken: object) -> Names:
    return Names([*FUNCTION_NAMES, "gradients", "i", *taken])  # type: ignore[misc]


def _inner(node: Node) -> tuple[Node, ...]:
    return inline(node.body).nodes if node.body is not None else (node,)


def _is_free(node: Node) -> bool:
    """Return whether an operation gives the same however the axes of its operands lie."""
    result = node.outputs[0]
    if isinstance(node.op, REDUCTIONS):
        return result.rank == 0
    shapes = {v.shape for v in (*node.inputs, result) if v.rank}
    return isinstance(node.op, (*ELEMENTWISE, ops.Equal)) and len(shapes) <= 1


def _no_constant(op: ConstantArray) -> Text:
    raise AssertionError("an optimizer with an array of numbers")
