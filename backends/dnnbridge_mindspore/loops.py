"""The source of a loop inside a step: a Cell with its own derivative.

`construct` runs the body forward and keeps the carry of every step. `bprop` goes back through the
steps and applies the derivative of the body, so memory grows only linearly with the steps.

MindSpore cannot compile this for every body. Its own functions that branch in Python fail there
("func graph is empty"), and so do nested loops. So bodies with operations outside `DIRECT` use
MindSpore's derivative of `while`. It is equally exact, but its memory grows with the square of the
number of steps. The length of the source does not depend on the number of steps.
"""

from __future__ import annotations

from dnnbridge.backend import Constant, ConstantArray, Graph, Node, Op, Scan, TensorType, ops
from dnnbridge_mindspore.lowerings import DTYPES

Direct = frozenset[type[Op]]

DIRECT: Direct = frozenset(
    {
        *(ops.Abs, ops.Add, ops.Exp, ops.Greater, ops.Log, ops.MatMul, ops.Mul, ops.Neg),
        *(ops.Select, ops.Sigmoid, ops.Slice, ops.Square, ops.Sub, ops.Tanh),
        *(Constant, ConstantArray),
    }
)
"""Operations whose derivative compiles inside the derivative of a loop."""

CONSTRUCT = """
    def construct(self, {inputs}):
        t = ms.Tensor(0, ms.int32)
{stacks}
        while t < {length}:
            at = ops.reshape(t, (1, 1))
{before}
            {made} = self.body({row})
{after}
            t = t + 1
        return {results}
"""

DERIVATIVE = """
    def bprop(self, {inputs}, out, dout):
        t = ms.Tensor({last}, ms.int32)
{unpacked}
{zeros}
        while t >= 0:
            at = ops.reshape(t, (1, 1))
            shares = self.vjp({past}, {cotangents})
{shared}
            t = t - 1
        return ({gradients},)
"""


def write_loop(
    name: str, op: Scan, body: Graph, setup: list[str], method: list[str], direct: Direct
) -> str:
    """Return the source of the class of a loop, given its setup lines and its method `body`."""
    header = [f"class {name}(nn.Cell):", "    def __init__(self, constants):"]
    header += ["        super().__init__()", *setup]
    if _is_direct(body, direct):
        header.append(
            "        self.vjp = ops.GradOperation(get_all=True, sens_param=True)(self.body)"
        )
    return "\n".join([*header, "", *method]) + _methods(op, body, direct)


def kept_carries(op: Scan, body: Graph, direct: Direct) -> int:
    """Return the number of carries that the loop returns for its own derivative."""
    return op.carries if _is_direct(body, direct) else 0


def _is_direct(body: Graph, direct: Direct) -> bool:
    return all(type(node.op) in direct or _rounds(node) for node in body.nodes)


def _rounds(node: Node) -> bool:
    """Return whether a node is a cast between types of real numbers."""
    return isinstance(node.op, ops.Cast) and node.inputs[0].dtype not in ("int32", "bool")


def _methods(op: Scan, body: Graph, direct: Direct) -> str:
    """Write `construct`, and `bprop` if the body allows it."""
    carries, sequences = _names("carry", op.carries), _names("sequence", op.sequences)
    captured = _names("given", len(body.inputs) - op.carries - op.sequences)
    inputs = [*carries, *sequences, *captured]
    stacked = [value.type for value in body.outputs[op.carries :]]
    stacks, made = _names("stack", len(stacked)), _names("made", len(stacked))
    pasts = _names("past", kept_carries(op, body, direct))
    batch = _batch(inputs, sequences, body)
    row = [f"ops.gather({s}, t, 0)" for s in sequences]
    results = [*carries, *stacks, *pasts]
    empty = [f"{s} = {_zeros(op, t, batch)}" for s, t in zip(stacks, stacked, strict=True)]
    kept = list(zip(pasts, carries, strict=False))
    empty += [f"{p} = ops.zeros(({op.length},) + {c}.shape, {c}.dtype)" for p, c in kept]
    source = CONSTRUCT.format(
        inputs=", ".join(inputs),
        length=op.length,
        stacks=_lines(2, empty),
        before=_lines(3, [_put(past, carry) for past, carry in kept]),
        made=", ".join([*carries, *made]),
        row=", ".join([*carries, *row, *captured]),
        after=_lines(3, [_put(s, m) for s, m in zip(stacks, made, strict=True)]),
        results=", ".join(results),
    )
    if not _is_direct(body, direct):
        return source
    rows = [*(f"ops.gather({past}, t, 0)" for past in pasts), *row]
    cotangents = [f"d_{c}" for c in carries] + [f"ops.gather(d_{s}, t, 0)" for s in stacks]
    real = [value.dtype not in ("int32", "bool") for value in body.inputs]
    return source + DERIVATIVE.format(
        inputs=", ".join(inputs),
        last=op.length - 1,
        unpacked=_lines(2, _unpacked(results, carries, stacks, pasts)),
        zeros=_lines(2, [f"d_{x} = kernels.ZEROS({x})" for x in [*sequences, *captured]]),
        past=", ".join([*rows, *captured]),
        cotangents=cotangents[0] if len(cotangents) == 1 else f"({', '.join(cotangents)})",
        shared=_lines(3, _shared(carries, sequences, captured, real)),
        gradients=", ".join(f"d_{x}" for x in inputs),
    )


def _batch(inputs: list[str], sequences: list[str], body: Graph) -> str:
    """Return the source of the batch size, from the first input that has a batch axis."""
    for name, value in zip(inputs, body.inputs, strict=True):
        if None in value.shape:
            return f"{name}.shape[{value.shape.index(None) + (name in sequences)}]"
    return ""


def _shared(
    carries: list[str], sequences: list[str], captured: list[str], real: list[bool]
) -> list[str]:
    """Write the lines that pass on, store or add up the cotangents of a step."""
    lines = []
    for i, (name, is_real) in enumerate(zip([*carries, *sequences, *captured], real, strict=True)):
        if not is_real:
            continue
        if name in carries:
            lines.append(f"d_{name} = shares[{i}]")
        elif name in sequences:
            lines.append(_put(f"d_{name}", f"shares[{i}]"))
        else:
            lines.append(f"d_{name} = ops.add(d_{name}, shares[{i}])")
    return lines


def _unpacked(
    results: list[str], carries: list[str], stacks: list[str], pasts: list[str]
) -> list[str]:
    """Write the lines that read cotangents of the results and the kept carries in `bprop`."""
    if len(results) == 1:  # a single result is not in a tuple
        return [f"d_{results[0]} = dout"]
    wanted = [f"d_{name} = dout[{results.index(name)}]" for name in [*carries, *stacks]]
    return wanted + [f"{name} = out[{results.index(name)}]" for name in pasts]


def _put(stack: str, value: str) -> str:
    return f"{stack} = ops.tensor_scatter_update({stack}, at, ops.expand_dims({value}, 0))"


def _zeros(op: Scan, type: TensorType, batch: str) -> str:
    sizes = "".join(f"{batch if size is None else size}, " for size in (op.length, *type.shape))
    return f"ops.zeros(({sizes.rstrip()}), {DTYPES[type.dtype]})"


def _names(word: str, count: int) -> list[str]:
    return [f"{word}_{i}" for i in range(count)]


def _lines(depth: int, statements: list[str]) -> str:
    return "\n".join("    " * depth + statement for statement in statements)
