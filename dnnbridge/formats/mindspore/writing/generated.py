"""The class of a layer without a sound counterpart: its equation, operation by operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.formats.mindspore.writing.body import Body
from dnnbridge.formats.mindspore.writing.forward import LayerCall
from dnnbridge.formats.mindspore.writing.reserved import CELL_NAMES, FUNCTION_NAMES
from dnnbridge.formats.mindspore.writing.text import Text
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import ConstantArray, Node, Value, inline
from dnnbridge.program.program import Program

INLINE = 16
"""Largest number of elements of a constant that is written as numbers."""


@dataclass
class Generated:
    """A class without its name, and what its instance and its calls need.

    Attributes:
        text: the lines of the class after its first.
        shapes: the shapes of its weights, which its constructor takes.
        weights: the attribute of each weight, by its name here.
        constants: arrays of numbers by attribute; they are stored with the weights.
        given: the inputs of the call in training that `construct` takes: values of the model.
        feeds: the names of random arrays and schedules that `construct` takes after them.
        results: the values of training that a call returns.
    """

    text: list[str] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    given: list[Value] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)


class ClassWriter:
    """Writes the class of one call of a layer.

    Args:
        call: the call.
        names: the state array or feed that an input is.
        changed: the running statistic that a result is the next value of.
        program: for the shapes of the weights.
        helpers: receives the names of helper functions that are used.
    """

    def __init__(
        self,
        call: LayerCall,
        names: Mapping[Value, str],
        changed: Mapping[Value, str],
        program: Program,
        helpers: set[str],
    ) -> None:
        self.call, self.names, self.changed = call, names, changed
        self.program, self.helpers = program, helpers
        self.made = Generated()
        self.attributes = Names([*CELL_NAMES, "weight"])
        self.arrays: dict[ConstantArray, str] = {}

    def write(self) -> Generated:
        """Return the class."""
        made, node = self.made, self.call.training
        made.given = [v for v in node.inputs if is_value(self.names.get(v, ""))]
        for value in node.inputs:
            name = self.names.get(value, "")
            if name in self.program.state:
                self._weight(name)
            elif not is_value(name) and name not in (MASK, NORMALIZER, *made.feeds):
                made.feeds.append(name)
        made.results = [v for v in node.outputs if v not in self.changed]
        arguments = self._arguments()
        training = self._method(node, arguments)
        prediction = self._method(self.call.prediction, arguments)
        body = training
        if training != prediction:
            body = ["if self.training:", *(f"    {line}" for line in training), *prediction]
        made.text = [*self._constructor(), *self._construct(arguments, body)]
        return made

    def _weight(self, name: str) -> None:
        if name not in self.made.weights:
            inner = name.removeprefix(f"{self.call.path}/")
            self.made.weights[name] = attribute = self.attributes.of(inner)
            self.made.shapes[attribute] = self.program.state[name].shape

    def _arguments(self) -> dict[str, str]:
        """Return the identifiers of the arguments: of the values by number, of feeds by name."""
        names = Names(FUNCTION_NAMES)
        arguments = {str(i): names.of("x") for i in range(len(self.made.given))}
        for feed in self.made.feeds:
            arguments[feed] = names.of(feed.rpartition("/")[2])
        return arguments

    def _method(self, node: Node, arguments: Mapping[str, str]) -> list[str]:
        """Return the lines of `construct` for one form of the call."""
        assert node.body is not None
        graph = inline(node.body)
        body = Body(
            Names([*FUNCTION_NAMES, *arguments.values()]),
            self.helpers,
            self._constant,
            next(iter(arguments.values()), "x"),
        )
        values = iter(range(len(self.made.given)))
        for inner, outer in zip(node.body.inputs, node.inputs, strict=True):
            name = self.names.get(outer, "")
            if name == MASK:
                body.give_mask(inner)
            elif name == NORMALIZER:
                body.give_normalizer(inner)
            elif name in self.made.weights:
                body.known[inner] = Text(f"self.{self.made.weights[name]}")
            elif name in arguments:
                body.known[inner] = Text(arguments[name])
            else:
                body.known[inner] = Text(arguments[str(next(values))])
        body.write(graph.nodes, graph.outputs)
        end = self._end(node, body, graph.outputs)
        return flat([*body.lines, *end])

    def _end(self, node: Node, body: Body, outputs: Sequence[Value]) -> list[str]:
        """Return the assignments of running statistics, and the return of the results."""
        found = dict(zip(node.outputs, outputs, strict=True))
        assigned = {self.changed[v]: inner for v, inner in found.items() if v in self.changed}
        if assigned:
            for inner in outputs:
                body.named(inner)
        lines = [
            f"ops.assign(self.{self.made.weights[name]}, {body.known[inner]})"
            for name, inner in assigned.items()
        ]
        results = [str(body.known[found[v]]) for v in node.outputs if v not in self.changed]
        results += ["None"] * (len(self.made.results) - len(results))
        return [*lines, f"return {', '.join(results)}"]

    def _constant(self, op: ConstantArray) -> Text:
        """Write a small array as numbers; a large one is an attribute that the checkpoint has."""
        if op.array.size <= INLINE:
            kind = {"float32": "ms.float32", "int32": "ms.int32", "bool": "ms.bool_"}[op.dtype]
            return Text(f"ms.Tensor({op.array.tolist()}, {kind})")
        if op not in self.arrays:
            self.arrays[op] = name = self.attributes.of("constant")
            stored = np.float32 if op.dtype == "float32" else np.int32
            self.made.constants[name] = op.array.astype(stored)
        text = f"self.{self.arrays[op]}"
        return Text(f"ops.cast({text}, ms.bool_)") if op.dtype == "bool" else Text(text)

    def _constructor(self) -> list[str]:
        made = self.made
        given = [*made.shapes, *made.constants]
        if not given:
            return []
        lines = [f"def __init__(self, {', '.join(given)}):", "    super().__init__()"]
        for name in given:
            still = not self._is_trained(name)
            more = ", trained=False" if still else ""
            if name in made.constants and made.constants[name].dtype == np.int32:
                more += ", dtype=np.int32"
            lines.append(f"    self.{name} = weight({name}{more})")
        return [*lines, ""]

    def _is_trained(self, attribute: str) -> bool:
        names = {a: name for name, a in self.made.weights.items()}
        return attribute in names and self.program.state[names[attribute]].trainable

    def _construct(self, arguments: Mapping[str, str], body: Sequence[str]) -> list[str]:
        values = [arguments[str(i)] for i in range(len(self.made.given))]
        feeds = [f"{arguments[name]}=None" for name in self.made.feeds]
        head = f"def construct({', '.join(['self', *values, *feeds])}):"
        return [head, *(f"    {line}" for line in body)]


def is_value(name: str) -> bool:
    """Return whether an input of a call is a value of the model: it has no name, or is an input."""
    return not name or name.startswith("input:")


def flat(lines: Sequence[str]) -> list[str]:
    """Return lines without line breaks in them."""
    return [each for line in lines for each in line.split("\n")]
