"""`Body`: the nodes of a graph as the lines of a function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from dnnbridge import ops
from dnnbridge.formats.mindspore.writing.helpers import HELPERS
from dnnbridge.formats.mindspore.writing.primitives import PRIMITIVES, TWICE
from dnnbridge.formats.mindspore.writing.text import Text, called, number
from dnnbridge.formats.source.expressions import wrapped
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import Constant, ConstantArray, Node, Scan, Value

LONGEST = 56
"""Longest expression that is put into the one that reads it, instead of having a line."""

ARITHMETIC = (ops.Add, ops.Sub, ops.Mul, ops.Div, ops.Neg)
TAKES_NUMBERS = (*ARITHMETIC, ops.Greater, ops.Select, ops.Equal, ops.Maximum, ops.Minimum)
"""Operations whose source accepts Python numbers."""


class Body:
    """Writes nodes without bodies, apart from loops, as lines of a function.

    Args:
        names: the identifiers of the function.
        helpers: receives the names of the helper functions that are used.
        constant: writes an array of numbers.
        batch: an expression whose first axis is the batch.

    Attributes:
        known: the source of each value.
        ones: values that are arrays of ones.
        plain: values that are Python numbers.
        lines: the lines so far, without the indent of the function.
    """

    def __init__(
        self,
        names: Names,
        helpers: set[str],
        constant: Callable[[ConstantArray], Text],
        batch: str,
    ) -> None:
        self.names, self.helpers, self.constant, self.batch = names, helpers, constant, batch
        self.known: dict[Value, Text] = {}
        self.ones: set[Value] = set()
        self.plain: set[Value] = set()
        self.lines: list[str] = []
        self.indent = 0

    @property
    def batch_size(self) -> Text:
        return Text(f"{self.batch}.shape[0]")

    def give_mask(self, value: Value) -> None:
        """Say that a value is 1 for every example: no batch is padded here."""
        self.ones.add(value)
        self.known[value] = called("ops.ones", f"({self.batch_size},)", "ms.float32")

    def give_normalizer(self, value: Value) -> None:
        """Say that a value is 1 / the number of examples."""
        self.plain.add(value)
        self.known[value] = Text(f"(1.0 / {self.batch_size})")

    def line(self, text: str) -> None:
        self.lines.append(wrapped(text, self.indent))

    def write(self, nodes: Sequence[Node], outputs: Sequence[Value]) -> None:
        """Write the nodes that the outputs need; afterwards `known` has the outputs."""
        needed, uses = set(outputs), Counter(outputs)
        wanted = []
        for node in reversed(nodes):
            if any(value in needed for value in node.outputs):
                wanted.append(node)
                needed.update(node.inputs)
                uses.update(node.inputs)
        for node in reversed(wanted):
            self._write(node, uses[node.outputs[0]])

    def named(self, value: Value, like: str = "h") -> Text:
        """Return the source of a value: a name or a number, after a line that computes it."""
        text = self.known[value]
        if value in self.plain or text.replace(".", "_").isidentifier():
            return text
        self.known[value] = name = Text(self.names.of(like))
        self.line(f"{name} = {text}")
        return name

    def _write(self, node: Node, uses: int) -> None:
        result = node.outputs[0]
        if isinstance(node.op, Scan):
            self._loop(node.op, node)
            return
        if isinstance(node.op, Constant):
            self.known[result] = number(node.op.value)
            self.plain.add(result)
            return
        if isinstance(node.op, ConstantArray):
            self.known[result] = self.constant(node.op)
            return
        if self._simplified(node):
            return
        self.known[result] = text = self._expression(node)
        if result not in self.plain and (uses > 1 or len(text) > LONGEST):
            self.named(result)

    def _expression(self, node: Node) -> Text:
        if isinstance(node.op, TWICE):
            for value in node.inputs:
                self.named(value)
        given = [self._operand(node, value) for value in node.inputs]
        if node.inputs and all(value in self.plain for value in node.inputs):
            if isinstance(node.op, ARITHMETIC):
                self.plain.add(node.outputs[0])
            if isinstance(node.op, ops.Maximum | ops.Minimum):
                self.plain.add(node.outputs[0])
                return called("max" if isinstance(node.op, ops.Maximum) else "min", *given)
        text = PRIMITIVES[type(node.op)](node.op, node.inputs, *given)
        self.helpers.update(name for name in HELPERS if f"{name}(" in text)
        return text

    def _operand(self, node: Node, value: Value) -> Text:
        text = self.known[value]
        if value in self.plain and not isinstance(node.op, TAKES_NUMBERS):
            return called("ms.Tensor", text, "ms.float32")
        return text

    def _simplified(self, node: Node) -> bool:
        """Write operations on arrays of ones as what they come to; return whether it is one."""
        op, result = node.op, node.outputs[0]
        if isinstance(op, ops.BroadcastTo) and node.inputs[0] in self.plain:
            sizes = ", ".join(self.batch_size if n is None else str(n) for n in op.shape)
            fill = self.known[node.inputs[0]]
            self.known[result] = Text(f"ops.full(({sizes},), {fill}, dtype=ms.float32)")
            return True
        units = [value in self.ones for value in node.inputs]
        if not any(units):
            return False
        if isinstance(op, ops.Reshape):
            self.ones.add(result)
            shape = tuple(-1 if size is None else size for size in op.shape)
            self.known[result] = called("ops.reshape", self.known[node.inputs[0]], shape)
            return True
        if isinstance(op, ops.Mul):
            other = node.inputs[1] if units[0] else node.inputs[0]
            if other in self.plain or other.type != result.type:
                return False
            self.known[result] = self.known[other]
            if other in self.ones:
                self.ones.add(result)
            return True
        if isinstance(op, ops.ReduceSum) and result.rank == 0:
            self.known[result] = Text(f"float({self.batch_size})")
            self.plain.add(result)
            return True
        return False

    def _loop(self, op: Scan, node: Node) -> None:
        """Write a loop over time; its length is known, so MindSpore unrolls it."""
        assert node.body is not None
        given = [self.named(value) for value in node.inputs]
        carries = [Text(self.names.of("state")) for _ in range(op.carries)]
        for name, start, value in zip(carries, given, node.inputs, strict=False):
            filled = called("ms.Tensor", start, "ms.float32") if value in self.plain else start
            self.line(f"{name} = {filled}")
        stacks = [self.names.of("steps") for _ in node.outputs[op.carries :]]
        for stack in stacks:
            self.line(f"{stack} = []")
        time = self.names.of("t")
        self.line(f"for {time} in range({op.length}):")
        self.indent += 4
        slices = [Text(f"{given[op.carries + i]}[{time}]") for i in range(op.sequences)]
        texts = [*carries, *slices, *given[op.carries + op.sequences :]]
        for inner, outer, text in zip(node.body.inputs, node.inputs, texts, strict=True):
            self.known[inner] = text
            if outer in self.plain and text in given:
                self.plain.add(inner)
        self.write(node.body.nodes, node.body.outputs)
        made = [self.named(value, "next_state") for value in node.body.outputs]
        for stack, step in zip(stacks, made[op.carries :], strict=True):
            self.line(f"{stack}.append({step})")
        if carries:
            self.line(f"{', '.join(carries)} = {', '.join(made[: op.carries])}")
        self.indent -= 4
        self.known.update(zip(node.outputs, carries, strict=False))
        for value, stack in zip(node.outputs[op.carries :], stacks, strict=True):
            self.known[value] = called("ops.stack", stack)
