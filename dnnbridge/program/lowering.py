"""`in_precision`: put the casts of a precision into the graphs of a program.

The equations of specs are written in float32. Here each value gets its type, by the table of
`precision_table`, and a `Cast` stands where a value is read in another type. Weights stay float32
and are cast where they are read, so their gradients are float32. Results of functions, the carries
and results of loops, and what a layer gives to buffers and to the loss are float32.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dnnbridge import ops
from dnnbridge.activations import AbstractActivation
from dnnbridge.graph import (
    Call,
    Constant,
    ConstantArray,
    DType,
    Graph,
    Node,
    Scan,
    Value,
    ValueAndGrad,
)
from dnnbridge.layers import AbstractLayer
from dnnbridge.ops.rounding import DIGITS, rounded
from dnnbridge.program.double import in_float64
from dnnbridge.program.precision import AbstractPrecision
from dnnbridge.program.precision_table import FOLLOWING, LOWERED
from dnnbridge.program.program import Function, Program
from dnnbridge.specs.patterns import check_layer_patterns, named_by


def in_precision(program: Program, precision: AbstractPrecision) -> Program:
    """Return a program that computes in a precision; in float32 it is the same object.

    Raises:
        SpecError: a pattern of layers that stay float32 fits no layer.
    """
    if precision.variable_dtype == "float64":
        return in_float64(program)
    if precision.compute_dtype == "float32":
        return program
    _check_kept(program, precision.kept)
    functions = {name: _lowered(f, program, precision) for name, f in program.functions.items()}
    return replace(program, functions=functions)


def _lowered(function: Function, program: Program, precision: AbstractPrecision) -> Function:
    """Return a function whose layers compute in the lower type."""
    drawn = {f"random:{random.name}" for random in program.randoms}
    given = drawn | {f"schedule:{name}" for name in program.schedules}
    loose = {
        value
        for value in function.graph.inputs
        if value.name in given
        or (value in function.state and not program.state[function.state[value]].carried)
    }
    made = _Lowering(function.graph, precision, {}, loose, inside=False)
    return replace(function, graph=made.graph(["float32"] * len(function.graph.outputs)))


class _Lowering:
    """Rewrites one graph.

    Args:
        source: the graph in float32.
        precision: the lower type, and which layers stay.
        lower: the inputs that are of the lower type, and what they are then.
        loose: inputs that are rounded wherever the others are of the lower type: weights, random
            arrays and what is computed from them.
        inside: whether this is the body of a layer that computes in the lower type.
    """

    def __init__(
        self,
        source: Graph,
        precision: AbstractPrecision,
        lower: Mapping[Value, Value],
        loose: Collection[Value],
        inside: bool,
    ) -> None:
        self.source, self.precision, self.inside = source, precision, inside
        self.known: dict[Value, Value] = {v: lower.get(v, v) for v in source.inputs}
        self.loose = set(loose)
        self.nodes: list[Node] = []
        self._numbers: dict[Value, float] = {}
        self._cast: dict[tuple[Value, DType], Value] = {}
        self._path = ""

    def graph(self, wanted: Sequence[DType | None]) -> Graph:
        """Return the graph whose real outputs have these types; None leaves a type as it is."""
        for node in self.source.nodes:
            self._path = node.path
            self._write(node)
        outputs = []
        for value, dtype in zip(self.source.outputs, wanted, strict=True):
            made = self.known[value]
            outputs.append(made if dtype is None else self._read(value, dtype))
        inputs = tuple(self.known[value] for value in self.source.inputs)
        return Graph(self.source.name, inputs, tuple(self.nodes), tuple(outputs))

    def _write(self, node: Node) -> None:
        if isinstance(node.op, Call):
            self._call(node)
        elif isinstance(node.op, ValueAndGrad | Scan):
            self._with_body(node)
        elif isinstance(node.op, Constant | ConstantArray):
            self._constant(node)
        else:
            self._operation(node)

    def _constant(self, node: Node) -> None:
        """Write a constant; one without a normal number of the lower type needs float32."""
        op = node.op
        assert isinstance(op, Constant | ConstantArray)
        if op.dtype == "float32":
            numbers = np.abs(op.array if isinstance(op, ConstantArray) else op.value)
            least, largest = DIGITS[self.precision.compute_dtype].normal
            if np.all((numbers == 0) | ((numbers >= least) & (numbers <= largest))):
                self.loose.update(node.outputs)
            if isinstance(op, Constant):
                self._numbers[node.outputs[0]] = op.value
        self._add(node, node.inputs, {})

    def _operation(self, node: Node) -> None:
        """Write an operation in the type that the table gives it."""
        kind, real = type(node.op), [v for v in node.inputs if v.dtype == "float32"]
        dtype: DType = "float32"
        if self.inside and kind in LOWERED:
            dtype = self.precision.compute_dtype
        elif self.inside and kind in FOLLOWING:
            lower = any(self._is_lower(value) for value in real)
            if lower and all(self._is_lower(value) or value in self.loose for value in real):
                dtype = self.precision.compute_dtype
        moved = kind in FOLLOWING and all(value in self.loose for value in real)
        if (real and moved) or (kind is ops.Cast and node.inputs[0].dtype == "bool"):
            self.loose.update(node.outputs)
        inputs = tuple(self._read(value, dtype) for value in node.inputs)
        made = {v: v.in_type(dtype) for v in node.outputs if v.dtype == "float32" != dtype}
        self._add(node, inputs, made)

    def _call(self, node: Node) -> None:
        """Write a call: a layer that computes in the lower type, or one that stays float32."""
        assert node.body is not None
        assert isinstance(node.op, Call)
        if not self._is_lowered(node):
            inputs = tuple(self._read(value, "float32") for value in node.inputs)
            self._add(node, inputs, {})
            self._as_input(node)
            return
        pairs = list(zip(node.inputs, node.body.inputs, strict=True))
        lower = {v: v.in_type(self.precision.compute_dtype) for x, v in pairs if self._is_lower(x)}
        loose = {v for x, v in pairs if x in self.loose}
        spec = node.op.spec
        results = len(spec.output_names) if isinstance(spec, AbstractLayer) else 1
        wanted = [None if k < results else _real(v) for k, v in enumerate(node.body.outputs)]
        inner = _Lowering(node.body, self.precision, lower, loose, inside=True)
        body = inner.graph(wanted)
        ends = zip(node.outputs, node.body.outputs, body.outputs, strict=True)
        made = {v: v.in_type(end.dtype) for v, _, end in ends if v.dtype != end.dtype}
        self.loose.update(
            v for v, end in zip(node.outputs, node.body.outputs, strict=True) if end in inner.loose
        )
        inputs = tuple(self.known[value] for value in node.inputs)
        self._add(replace(node, body=body), inputs, made)

    def _as_input(self, node: Node) -> None:
        """Give the results of a layer that stays float32 the type of its first input."""
        assert isinstance(node.op, Call)
        spec = node.op.spec
        if not (isinstance(spec, AbstractLayer) and spec.keeps_float32 and node.inputs):
            return
        if self._is_lower(node.inputs[0]):
            for value in node.outputs[: len(spec.output_names)]:
                self.known[value] = self._read(value, self.precision.compute_dtype)

    def _is_lowered(self, node: Node) -> bool:
        assert isinstance(node.op, Call)
        spec = node.op.spec
        if isinstance(spec, AbstractActivation):
            return self.inside
        if not isinstance(spec, AbstractLayer) or spec.keeps_float32:
            return False
        return not named_by(node.path, self.precision.kept)

    def _with_body(self, node: Node) -> None:
        """Write a derivative or a loop; its inputs and outputs stay float32."""
        assert node.body is not None
        pairs = zip(node.inputs, node.body.inputs, strict=True)
        loose = {v for x, v in pairs if x in self.loose}
        if isinstance(node.op, Scan):
            loose.difference_update(node.body.inputs[: node.op.carries])
        body = _Lowering(node.body, self.precision, {}, loose, self.inside)
        inputs = tuple(self._read(value, "float32") for value in node.inputs)
        wanted = [_real(value) for value in node.body.outputs]
        self._add(replace(node, body=body.graph(wanted)), inputs, {})

    def _is_lower(self, value: Value) -> bool:
        return self.known[value].dtype == self.precision.compute_dtype

    def _read(self, value: Value, dtype: DType) -> Value:
        """Return a value in a type; a cast is written once in a graph."""
        made = self.known[value]
        if value.dtype != "float32" or made.dtype == dtype:
            return made
        if (made, dtype) not in self._cast:
            cast = made.in_type(dtype)
            if value in self._numbers:
                number = float(rounded(np.asarray(self._numbers[value]), dtype))
                self.nodes.append(Node(Constant(number, dtype), (), (cast,), self._path))
            else:
                self.nodes.append(Node(ops.Cast(dtype), (made,), (cast,), self._path))
            self._cast[made, dtype] = cast
        return self._cast[made, dtype]

    def _add(self, node: Node, inputs: tuple[Value, ...], made: Mapping[Value, Value]) -> None:
        """Write a node whose outputs are themselves, or values of another type."""
        outputs = tuple(made.get(value, value) for value in node.outputs)
        self.nodes.append(replace(node, inputs=inputs, outputs=outputs))
        self.known.update(zip(node.outputs, outputs, strict=True))


def _real(value: Value) -> DType | None:
    """Return float32 for a real value, None for another."""
    return "float32" if value.dtype == "float32" else None


def _check_kept(program: Program, patterns: Sequence[str]) -> None:
    """Raise if a pattern of layers fits none."""
    if not patterns:
        return
    paths = {
        node.path
        for node in program.functions["predict"].graph.walk()
        if isinstance(node.op, Call) and isinstance(node.op.spec, AbstractLayer)
    }
    check_layer_patterns(patterns, sorted(paths), "precision.float32_layers")
