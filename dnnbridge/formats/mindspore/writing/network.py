"""The class `Net`: the layers of a run, as Cells and lines of `construct`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dnnbridge.base.arrays import Array
from dnnbridge.formats.mindspore.writing.body import Body
from dnnbridge.formats.mindspore.writing.flow import ELEMENTWISE, Flow
from dnnbridge.formats.mindspore.writing.forward import Forward, LayerCall
from dnnbridge.formats.mindspore.writing.generated import ClassWriter, Generated, flat, is_value
from dnnbridge.formats.mindspore.writing.native import CLASSES, Native, native_layer
from dnnbridge.formats.mindspore.writing.placement import SAME, Placement
from dnnbridge.formats.mindspore.writing.reserved import CELL_NAMES, FILE_NAMES, FUNCTION_NAMES
from dnnbridge.formats.mindspore.writing.text import Text
from dnnbridge.formats.source.expressions import call as call_source
from dnnbridge.formats.source.expressions import wrapped
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import Call, ConstantArray, Node, Value, inline
from dnnbridge.program.program import Program

MOST = 6
"""Largest number of operations of a layer without weights that is written into `construct`."""


@dataclass
class Network:
    """What the class `Net` is made of.

    Attributes:
        cells: the lines of its constructor.
        lines: the lines of its forward pass.
        classes: the text of each class that a layer needs, by name.
        placements: where each weight is, by its name here.
        constants: arrays that the checkpoint holds as well, by their names there.
        fixed: weights that stay 0, by their names there.
        arguments: the identifier of each feed that it takes, in order.
        turned: random arrays that are fed with their channels first.
    """

    cells: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    fixed: dict[str, tuple[int, ...]] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    turned: set[str] = field(default_factory=set)


class NetworkWriter:
    """Writes the layers of a forward pass.

    Args:
        forward: the calls of the layers.
        program: for the shapes of the weights.
        helpers: receives the names of helper functions that are used.
    """

    def __init__(self, forward: Forward, program: Program, helpers: set[str]) -> None:
        self.forward, self.program, self.helpers = forward, program, helpers
        self.made = Network()
        self.attributes = Names(CELL_NAMES)
        self.class_names = Names(FILE_NAMES)
        self.layers: dict[str, tuple[str, object]] = {}
        self.by_text: dict[tuple[str, str], str] = {}
        names, found = Names(FUNCTION_NAMES), [forward.names[v] for v in forward.graph.inputs]
        inputs = [name for name in found if name.startswith("input:")]
        randoms = [name for name in found if name.startswith("random:")]
        schedules = [name for name in found if name.startswith("schedule:")]
        for name in [*inputs, *randoms, *schedules]:
            self.made.arguments[name] = names.of(name.partition(":")[2])
        batch = self.made.arguments[inputs[0]]
        self.body = Body(names, helpers, self._no_constant, batch)
        self.flow = Flow(self.body)
        for value in forward.graph.inputs:
            if forward.names[value] in self.made.arguments:
                self.body.known[value] = Text(self.made.arguments[forward.names[value]])

    def write(self, wanted: Sequence[Value]) -> Network:
        """Return the network, whose forward pass returns the given values."""
        natives = [self._native(call) for call in self.forward.calls]
        sources: dict[str, set[str]] = {}
        for call, native in zip(self.forward.calls, natives, strict=True):
            if isinstance(call.training.op, Call):
                sources.setdefault(call.path, set()).add(native[0].source if native else "")
        for call, native in zip(self.forward.calls, natives, strict=True):
            # calls that are not all the same layer share the weights of written classes
            self._write(call, native if len(sources.get(call.path, ())) == 1 else None)
        self.results = [str(self.flow.last(value)) for value in wanted]
        self.made.lines = flat(self.body.lines)
        return self.made

    def _write(self, call: LayerCall, native: tuple[Native, Value] | None) -> None:
        node = call.training
        if not isinstance(node.op, Call):  # it makes a mask of time steps
            self.flow.write([node], node.outputs)
            return
        if native is not None:
            self._write_native(call, *native)
        elif self._is_inline(call):
            self._write_inline(node)
        else:
            self._write_generated(call)

    def _native(self, call: LayerCall) -> tuple[Native, Value] | None:
        """Return the layer of MindSpore, and the value of the call that it computes."""
        node = call.training
        if not isinstance(node.op, Call):
            return None
        assert node.body is not None
        native = native_layer(node, self._shapes(node))
        if native is None:
            return None
        stored = {n.rpartition("/")[2] for n in map(self._name, node.inputs) if n in self._state}
        if stored != set(native.weights) or any(
            self._name(v).startswith(("random:", "schedule:")) for v in node.inputs
        ):
            return None
        values = [v for v in node.inputs if is_value(self._name(v))]
        core = activated_value(node)
        known = {core, *node.body.outputs[:1]}
        extra = [
            inner
            for outer, inner in zip(node.outputs, node.body.outputs, strict=True)
            if outer not in self.forward.changed and inner not in known
        ]
        if core is None or extra or len(values) != 1:
            return None
        return native, core

    @property
    def _state(self) -> dict[str, object]:
        return dict(self.program.state)

    def _name(self, value: Value) -> str:
        return self.forward.names.get(value, "")

    def _shapes(self, node: Node) -> dict[str, tuple[int, ...]]:
        names = [name for name in map(self._name, node.inputs) if name in self.program.state]
        return {name.rpartition("/")[2]: self.program.state[name].shape for name in names}

    def _attribute(self, path: str, cell: object) -> tuple[str, bool]:
        """Return the attribute of a layer, and whether it is new; a layer called again has one."""
        name, known = self.layers.get(path, ("", None))
        if name and known == cell:
            return name, False
        attribute = self.attributes.of(path)
        self.layers[path] = (attribute, cell)
        return attribute, True

    def _write_native(self, call: LayerCall, native: Native, core: Value) -> None:
        node = call.training
        attribute, new = self._attribute(call.path, (native.source, tuple(native.weights)))
        if new:
            self.made.cells.append(wrapped(f"self.{attribute} = {native.source}"))
            if native.needs:
                self.made.classes[native.needs] = CLASSES[native.needs]
            for inner, (name, layout) in native.weights.items():
                place = Placement(f"{attribute}.{name}", layout)
                self.made.placements[f"{call.path}/{inner}"] = place
            for name, shape in native.fixed.items():
                self.made.fixed[f"{attribute}.{name}"] = shape
                self.made.cells.append(f"self.{attribute}.{name}.requires_grad = False")
        (x,) = (v for v in node.inputs if is_value(self._name(v)))
        assert node.body is not None
        given = self.flow.channels_first(x) if native.first else self.flow.last(x)
        result = self.body.names.of(self._short(call.path))
        self.body.line(f"{result} = {native.result(f'self.{attribute}({given})')}")
        (self.flow.first if native.first else self.body.known)[core] = Text(result)
        self._finish(node, core)

    def _finish(self, node: Node, core: Value) -> None:
        """Write what follows after the layer of MindSpore: its activation."""
        assert node.body is not None
        graph = inline(node.body)
        after = [n for n in graph.nodes if n.outputs[0] is not core]
        if node.body.outputs[0] is core:
            self.flow.alias(graph.outputs[0], core)
        elif graph.outputs[0] is not core:
            self.flow.write(after, graph.outputs[:1])
        for outer, inner in zip(node.outputs, graph.outputs, strict=True):
            self.flow.alias(outer, inner)

    def _is_inline(self, call: LayerCall) -> bool:
        """Return whether a call has no weights, is the same in training, and is short."""
        node, other = call.training, call.prediction
        assert node.body is not None
        assert other.body is not None
        if not all(is_value(self._name(v)) for v in node.inputs):
            return False
        ours, theirs = inline(node.body).nodes, inline(other.body).nodes
        same = [n.op for n in ours] == [n.op for n in theirs]
        plain = all(n.body is None for n in ours)
        small = all(_is_small(n) for n in ours)
        return same and plain and small and len(ours) <= MOST

    def _write_inline(self, node: Node) -> None:
        assert node.body is not None
        graph = inline(node.body)
        for inner, outer in zip(node.body.inputs, node.inputs, strict=True):
            self.flow.alias(inner, outer)
        self.flow.write(graph.nodes, graph.outputs)
        for outer, inner in zip(node.outputs, graph.outputs, strict=True):
            self.flow.alias(outer, inner)

    def _write_generated(self, call: LayerCall) -> None:
        writer = ClassWriter(
            call, self.forward.names, self.forward.changed, self.program, self.helpers
        )
        made = writer.write()
        name = self._class(call, made)
        shapes = [*made.shapes.values(), *(a.shape for a in made.constants.values())]
        source = call_source(name, shapes)
        attribute, new = self._attribute(call.path, source)
        if new:
            self.made.cells.append(wrapped(f"self.{attribute} = {source}"))
            for weight, inner in made.weights.items():
                place = Placement(f"{attribute}.{inner}", SAME)
                first = self.made.placements.setdefault(weight, place)
                if first != place:  # of an earlier call of the layer, which has another class
                    self.made.cells.append(wrapped(f"self.{place.name} = self.{first.name}"))
            for inner, array in made.constants.items():
                self.made.constants[f"{attribute}.{inner}"] = array
        self._call_generated(call, made, attribute)

    def _call_generated(self, call: LayerCall, made: Generated, attribute: str) -> None:
        """Write the call of a class of the file."""
        turned = self._keeps_first(call, made)
        values = [self.flow.first[v] if turned else self.flow.last(v) for v in made.given]
        feeds = [self.made.arguments[name] for name in made.feeds]
        if turned:
            self.made.turned.update(made.feeds)
        results = [self.body.names.of(self._short(call.path)) for _ in made.results]
        given = ", ".join([*values, *feeds])
        self.body.line(f"{', '.join(results)} = self.{attribute}({given})")
        for value, name in zip(made.results, results, strict=True):
            (self.flow.first if turned else self.body.known)[value] = Text(name)

    def _keeps_first(self, call: LayerCall, made: Generated) -> bool:
        """Return whether a class works on arrays with channels first as on others: a dropout."""
        body = call.training.body
        assert body is not None
        if made.weights or not self.flow.only_first(made.given):
            return False
        nodes = inline(body).nodes
        shapes = {v.shape for n in nodes for v in (*n.inputs, *n.outputs) if v.rank}
        return all(isinstance(n.op, ELEMENTWISE) for n in nodes) and len(shapes) == 1

    def _class(self, call: LayerCall, made: Generated) -> str:
        """Return the name of a class with this text; equal classes are written once."""
        kind = type(call.spec).__name__
        key = kind, "\n".join(made.text)
        if key not in self.by_text:
            self.by_text[key] = name = self.class_names.of(kind)
            lines = [f"class {name}(nn.Cell):", f'    """The layer {kind}, from its equation."""']
            lines += ["", *(f"    {line}".rstrip() for line in made.text)]
            self.made.classes[name] = "\n".join(lines) + "\n"
        return self.by_text[key]

    @staticmethod
    def _short(path: str) -> str:
        return path.rpartition("/")[2]

    @staticmethod
    def _no_constant(op: object) -> Text:
        raise AssertionError("a layer with an array of numbers has a class")


def activated_value(node: Node) -> Value | None:
    """Return the value that the activation at the end of a layer takes, else the result.

    None if the activation takes more than one value.
    """
    assert node.body is not None
    graph = node.body
    last = next((n for n in reversed(graph.nodes) if graph.outputs[0] in n.outputs), None)
    if last is None or not isinstance(last.op, Call):
        return graph.outputs[0]
    return last.inputs[0] if len(last.inputs) == 1 else None


def _is_small(node: Node) -> bool:
    """Return whether an operation is not an array of numbers that the checkpoint must hold."""
    return not isinstance(node.op, ConstantArray)
