"""The table of operations: plain MindSpore source of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnbridge import ops
from dnnbridge.formats.mindspore.writing.text import (
    Text,
    added,
    called,
    compared,
    divided,
    multiplied,
    negative,
    number,
    subtracted,
    within,
)
from dnnbridge.graph import Op, Value

Source = Callable[..., Text]

DTYPES = {"float32": "ms.float32", "int32": "ms.int32", "bool": "ms.bool_"}


def _call(function: str) -> Source:
    return lambda op, values, *given: called(function, *given)


def _reduced(function: str) -> Source:
    def write(op: Any, values: tuple[Value, ...], x: str) -> Text:
        axes = op.axes[0] if len(op.axes) == 1 else op.axes
        if len(op.axes) == values[0].rank and not op.keepdims:
            return called(function, x)
        return called(function, x, axes, *([True] if op.keepdims else []))

    return write


def _maximum(op: Any, values: tuple[Value, ...], x: str) -> Text:
    return called("ops.amax", x, op.axes, *([True] if op.keepdims else []))


def _sizes(x: str, shape: tuple[int | None, ...]) -> str:
    """Return sizes as a tuple; None is that of x."""
    known = [f"{x}.shape[{i}]" if n is None else str(n) for i, n in enumerate(shape)]
    return f"({', '.join(known)}{',' if len(known) == 1 else ''})"


def _reshape(op: ops.Reshape, values: tuple[Value, ...], x: str) -> Text:
    return called("ops.reshape", x, tuple(-1 if size is None else size for size in op.shape))


def _broadcast(op: ops.BroadcastTo, values: tuple[Value, ...], x: str) -> Text:
    return called("ops.broadcast_to", x, _sizes(within(x, 0), op.shape))


def _slice(op: ops.Slice, values: tuple[Value, ...], x: str) -> Text:
    """Write an index: x[:, 2:5]."""
    parts = []
    for start, size, whole in zip(op.starts, op.sizes, values[0].shape, strict=True):
        ends = size is None or whole is None or start + size == whole
        begin, end = str(start or ""), "" if ends else str(start + (size or 0))
        parts.append(f"{begin}:{end}")
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return Text(f"{within(x, 0)}[{', '.join(parts)}]")


def _clip(op: ops.Clip, values: tuple[Value, ...], x: str) -> Text:
    low, high = number(op.low), number(op.high)
    return called("ops.where", f"{x} < {low}", low, called("ops.where", f"{x} > {high}", high, x))


def _padded(x: str, pairs: Any, value: float) -> Text:
    """Return x with padding along its spatial axes, if there is any."""
    around = ((0, 0), *pairs, (0, 0))
    return called("pad", x, around, value) if any(map(any, pairs)) else Text(x)


def _conv(op: ops.Conv, values: tuple[Value, ...], x: str, kernel: str) -> Text:
    padded = _padded(x, op.padding, 0.0)
    return called("conv", padded, kernel, op.strides, op.dilation, op.groups)


def _conv_transpose(op: ops.ConvTranspose, values: tuple[Value, ...], x: str, kernel: str) -> Text:
    return called("conv_transpose", x, kernel, op.strides, op.padding, op.dilation, op.sizes)


def _max_pool(op: ops.MaxPool, values: tuple[Value, ...], x: str) -> Text:
    return called("max_pool", _padded(x, op.padding, float("-inf")), op.window, op.strides)


def _avg_pool(op: ops.AvgPool, values: tuple[Value, ...], x: str) -> Text:
    made = called("avg_pool", _padded(x, op.padding, 0.0), op.window, op.strides)
    if not any(map(any, op.padding)) or op.count_include_pad:
        return made
    sizes = (1, *values[0].shape[1:-1], 1)
    ones = _padded(called("ops.ones", sizes, "ms.float32"), op.padding, 0.0)
    return divided(made, called("avg_pool", ones, op.window, op.strides))


def _pad(op: ops.Pad, values: tuple[Value, ...], x: str) -> Text:
    return called("pad", x, op.pairs, op.value)


PRIMITIVES: dict[type[Op], Source] = {
    ops.Add: lambda op, values, a, b: added(a, b),
    ops.Div: lambda op, values, a, b: divided(a, b),
    ops.Greater: lambda op, values, a, b: compared(">", a, b),
    ops.MatMul: _call("ops.matmul"),
    ops.Mul: lambda op, values, a, b: multiplied(a, b),
    ops.Neg: lambda op, values, a: negative(a),
    ops.Sub: lambda op, values, a, b: subtracted(a, b),
    ops.Abs: _call("ops.abs"),
    ops.ArgMax: lambda op, values, x: called(
        "ops.cast", called("ops.argmax", x, op.axis), "ms.int32"
    ),
    ops.AvgPool: _avg_pool,
    ops.BatchMatMul: _call("ops.matmul"),
    ops.BroadcastTo: _broadcast,
    ops.Cast: lambda op, values, x: called("ops.cast", x, DTYPES[op.dtype]),
    ops.Clip: _clip,
    ops.Concat: lambda op, values, *xs: called("ops.cat", f"({', '.join(xs)},)", op.axis),
    ops.Conv: _conv,
    ops.ConvTranspose: _conv_transpose,
    ops.Equal: _call("ops.equal"),
    ops.Erfc: _call("ops.erfc"),
    ops.Exp: _call("ops.exp"),
    ops.Expm1: _call("ops.expm1"),
    ops.Log: _call("ops.log"),
    ops.LogSoftmax: lambda op, values, x: called("log_softmax", x, op.axis),
    ops.MaxPool: _max_pool,
    ops.Maximum: lambda op, values, a, b: called("ops.where", compared(">=", a, b), a, b),
    ops.Minimum: lambda op, values, a, b: called("ops.where", compared("<=", a, b), a, b),
    ops.OneHot: lambda op, values, x: called("one_hot", x, op.depth),
    ops.Pad: _pad,
    ops.ReduceMax: _maximum,
    ops.ReduceMean: _reduced("ops.mean"),
    ops.ReduceSum: _reduced("ops.sum"),
    ops.Relu: _call("ops.relu"),
    ops.Reshape: _reshape,
    ops.Reverse: lambda op, values, x: called("ops.flip", x, op.axes),
    ops.Select: _call("ops.where"),
    ops.Sigmoid: _call("ops.sigmoid"),
    ops.Sign: _call("ops.sign"),
    ops.Slice: _slice,
    ops.Softmax: lambda op, values, x: called("softmax", x, op.axis),
    ops.Softplus: _call("softplus"),
    ops.Sqrt: _call("ops.sqrt"),
    ops.Square: _call("ops.square"),
    ops.Take: lambda op, values, table, indices: called("ops.gather", table, indices, 0),
    ops.Tanh: _call("tanh"),
    ops.Transpose: lambda op, values, x: called("ops.transpose", x, op.permutation),
}
"""The source of each operation, from the operation, its operands and their source."""

TWICE = (ops.Clip, ops.Maximum, ops.Minimum, ops.BroadcastTo)
"""Operations whose source names an operand more than once: it must be a name."""
