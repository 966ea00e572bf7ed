"""`ClassWriter`: write graphs as the methods of a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dnnbridge.backend import (
    Call,
    Constant,
    ConstantArray,
    Function,
    Graph,
    Node,
    Op,
    PutRows,
    Recompute,
    Scan,
    Value,
    ValueAndGrad,
    flatten,
)
from dnnbridge_mindspore.attributes import Attributes, Module
from dnnbridge_mindspore.layouts import Layouts
from dnnbridge_mindspore.loops import kept_carries, write_loop
from dnnbridge_mindspore.lowerings import WINDOWS, Kernel, Source
from dnnbridge_mindspore.names import Names, Operand
from dnnbridge_mindspore.recomputing import can_recompute, write_part
from dnnbridge_mindspore.source_text import indented, signature, target, tensor, tuple_of
from dnnbridge_mindspore.tables import Tables


class ClassWriter:
    """Collects the lines of a class while graphs are written.

    Args:
        names: of the values.
        module: what all classes of the source share.
        tables: what the device gets.
    """

    def __init__(self, names: Names, module: Module, tables: Tables) -> None:
        self.names, self.module, self.tables = names, module, tables
        self.layouts = Layouts(names)
        self.attributes = Attributes(module)
        self.methods: list[list[str]] = []
        self.places: dict[Value, tuple[list[str], bool]] = {}

    def step(self, function: Function, recompute: bool) -> list[str]:
        """Return the method of one step: read the state, compute, assign the state."""
        arrays, names = Names("s"), self.names
        claims, native = self.tables.claims, self.tables.native
        again = can_recompute if recompute else None
        flat = flatten(function, claims, rows=True, native=native, recompute=again)
        graph, places, read, tables = flat
        read = {**read, **tables}
        used = dict.fromkeys([*read.values(), *function.writes])
        self.places = {
            v: ([f"self.{arrays[n]}" for n in names], moved) for v, (names, moved) in places.items()
        }
        changed = {name for names, _ in places.values() for name in names}
        self.attributes.setup += [f"        self.{arrays[n]} = state[{n!r}]" for n in used]
        lines = [signature("step", [names[value] for value in function.feeds])]
        for value, name in read.items():
            lines.append(
                f"        {names[value]} = {self.tables.read.format(f'self.{arrays[name]}')}"
            )
        lines += self.nodes(graph.nodes, graph.outputs)
        outputs = [names[value] for value in graph.outputs]
        count = len(function.results)
        for name, output in zip(function.writes, outputs[count:], strict=True):
            if name not in changed:
                lines.append(f"        ops.assign(self.{arrays[name]}, {output})")
        return [*lines, f"        return {tuple_of(outputs[:count])}"]

    def nodes(self, nodes: Sequence[Node], outputs: Sequence[Value]) -> list[str]:
        """Return the lines of nodes, and of outputs in the usual layout."""
        lines: list[str] = []
        path = ""
        for node in nodes:
            if isinstance(node.op, Constant) and node.op.dtype == "float64":
                lines.append(
                    f"        {self.names[node.outputs[0]]} = {self.attributes.number(node.op)}"
                )
                continue
            if isinstance(node.op, Constant):
                self.names.literal(node.outputs[0], node.op.value)
                continue
            if node.path and node.path != path:
                lines.append(f"        # {node.path}")
                path = node.path
            lines += indented(self._in_a_layout(node))
        return lines + indented(self.layouts.last(outputs))

    def _in_a_layout(self, node: Node) -> list[str]:
        """Write a node, with channels first if its inputs or its kernel have them first."""
        source: Source
        result = node.outputs[0]
        if operands := self.layouts.follow(node):
            source = self._lowered(node.op, *operands)
            return [f"{self.layouts.made(result)} = {self.attributes.source(source)}"]
        if pair := self.layouts.over_channels(node):
            source = self.tables.per_channel(node.op, *pair)
            return [f"{self.layouts.made(result)} = {self.attributes.source(source)}"]
        if over := self.layouts.over_space(node):
            op, operand = over
            return [f"{self.names[result]} = {self.attributes.source(self._lowered(op, operand))}"]
        if isinstance(node.op, Call) and self.layouts.is_first(node.inputs[0]):
            source = self._claimed(node.op, node)
            if isinstance(source, Kernel) and source.where_first:
                lines, x = self.layouts.first(node.inputs[0])
                lines += self.layouts.last(node.inputs[1:])
                arguments = (x, *source.arguments[1:])
                source = replace(source, source=source.where_first, arguments=arguments)
                others = [self.names[value] for value in node.outputs[1:]]
                targets = [self.layouts.made(result), *others, *["_"] * source.kept]
                return [*lines, f"{', '.join(targets)} = {self.attributes.source(source)}"]
        if type(node.op) in WINDOWS:
            x, *rest = (Operand(self.names[value], value.type) for value in node.inputs)
            source = self._lowered(node.op, x, *rest)
            if isinstance(source, Kernel) and source.channels_first:
                lines, x = self.layouts.first(node.inputs[0])
                lines += self.layouts.last(node.inputs[1:])
                source = replace(source, arguments=(x, *rest))
                return [*lines, f"{self.layouts.made(result)} = {self.attributes.source(source)}"]
        return [*self.layouts.last(node.inputs), self._statement(node)]

    def _statement(self, node: Node) -> str:
        arguments = [Operand(self.names[value], value.type) for value in node.inputs]
        outputs = [self.names[value] for value in node.outputs]
        if isinstance(node.op, ValueAndGrad):
            assert node.body is not None
            values = len(node.body.outputs)
            call = f"self.{self._gradient(node.op, node.body)}({', '.join(arguments)})"
            return f"({target(outputs[:values])}, {target(outputs[values:])}) = {call}"
        if isinstance(node.op, Scan):
            assert node.body is not None
            call = f"self.{self._loop(node.op, node.body)}({', '.join(map(tensor, arguments))})"
            kept = ["_"] * kept_carries(node.op, node.body, self.tables.direct)
            return f"{target([*outputs, *kept])} = {call}"
        if isinstance(node.op, Recompute):
            assert node.body is not None
            call = f"self.{self._part(node.body)}({', '.join(map(tensor, arguments))})"
            return f"{target(outputs)} = {call}"
        if isinstance(node.op, ConstantArray):
            return f"{outputs[0]} = {self.attributes.constant(node.op)}"
        if isinstance(node.op, PutRows) and node.outputs[0] in self.places:
            (place,), _ = self.places[node.outputs[0]]
            return self.attributes.kernel(Kernel("ops.ScatterUpdate()", (place, *arguments[1:])))
        if isinstance(node.op, Call) and node.outputs[0] in self.places:
            places, moved = self.places[node.outputs[0]]
            before = f"ops.assign({places[0]}, {arguments[0]})\n        " if moved else ""
            kernel = self.tables.claims[type(node.op.spec)].lower(node.op.spec, places, *arguments)
            return before + self.attributes.kernel(kernel)
        if isinstance(node.op, Call):
            source = self._claimed(node.op, node)
        else:
            source = self._lowered(node.op, *arguments)
        kept = ["_"] * source.kept if isinstance(source, Kernel) else []
        return f"{', '.join([*outputs, *kept])} = {self.attributes.source(source)}"

    def _lowered(self, op: Op, *operands: Operand) -> Source:
        return self.tables.lowerings[type(op)](op, *operands)

    def _claimed(self, op: Call, node: Node) -> Source:
        arguments = [Operand(self.names[value], value.type) for value in node.inputs]
        source: Source = self.tables.claims[type(op.spec)].lower(op.spec, *arguments)
        return source

    def _loop(self, op: Scan, body: Graph) -> str:
        """Write a loop as a class of the module, and return the name of its Cell."""
        setup, method, results = self._inner("body", body)
        method.append(f"        return {', '.join(results)}")
        number = len(self.module.loops)
        loop = write_loop(f"Loop{number}", op, body, setup, method, self.tables.direct)
        self.module.loops.append(loop)
        self.attributes.setup.append(f"        self.loop_{number} = Loop{number}(constants)")
        return f"loop_{number}"

    def _part(self, body: Graph) -> str:
        """Write a body to recompute as a class of the module, and return the name of its Cell."""
        setup, method, results = self._inner("construct", body)
        method.append(f"        return {target(results)}")
        number = len(self.module.loops)
        self.module.loops.append(write_part(f"Part{number}", setup, method))
        self.attributes.setup.append(f"        self.part_{number} = Part{number}(constants)")
        return f"part_{number}"

    def _inner(self, name: str, body: Graph) -> tuple[list[str], list[str], list[str]]:
        """Return a class for a body: its setup, its method up to the results, and these."""
        inner = ClassWriter(self.names, self.module, self.tables)
        method = [signature(name, [self.names[value] for value in body.inputs])]
        method += inner.nodes(body.nodes, body.outputs)
        results = [tensor(self.names[value]) for value in body.outputs]
        return inner.attributes.setup, method, results

    def _gradient(self, op: ValueAndGrad, body: Graph) -> str:
        """Write the body as a method and return the name of its derivative."""
        name = f"body_{len(self.methods)}"
        lines = [signature(name, [self.names[value] for value in body.inputs])]
        self.methods.append(lines)
        lines += self.nodes(body.nodes, body.outputs)
        results = [self.names[value] for value in body.outputs]
        lines.append(f"        return {target(results)}")
        aux = len(body.outputs) > 1
        self.attributes.setup.append(
            f"        self.{name}_gradient = "
            f"ms.value_and_grad(self.{name}, {op.wrt}, None, has_aux={aux})"
        )
        return f"{name}_gradient"
