"""The table of operations: the MindSpore source of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from dnnbridge.backend import Op, ops
from dnnbridge_mindspore.broadcasting import repetition
from dnnbridge_mindspore.forms import form_of_conv
from dnnbridge_mindspore.names import Operand, literal


@dataclass(frozen=True)
class Kernel:
    """A call of a Cell, which the generated class makes once and keeps.

    Attributes:
        source: expression that makes the Cell.
        arguments: arguments of the call.
        channels_first: whether the first argument and the result have their channels first.
        where_first: expression for a first argument and first result with channels first; empty if
            the Cell does not support them.
        kept: number of extra results that its derivative needs.
    """

    source: str
    arguments: tuple[str, ...]
    channels_first: bool = False
    where_first: str = ""
    kept: int = 0


DTYPES = {
    **{"float32": "ms.float32", "int32": "ms.int32", "bool": "ms.bool_"},
    **{"float16": "ms.float16", "bfloat16": "ms.bfloat16", "float64": "ms.float64"},
}

NATIVE: frozenset[type[Op]] = frozenset()
"""Operations that run in float16 and bfloat16 themselves. A CPU has only casts in bfloat16."""

Source = str | Kernel


def call(function: str) -> Callable[..., str]:
    """Write a call of a function of `mindspore.ops`."""
    return lambda op, *arguments: f"ops.{function}({', '.join(arguments)})"


def _fast_sum(op: ops.ReduceSum | ops.ReduceMean, x: Operand) -> str | None:
    """Return the source of a Cell that sums over adjacent axes, or None."""
    axes, count = tuple(sorted(op.axes)), len(op.axes)
    ones = (1,) * count if op.keepdims else ()
    if count < x.type.rank and axes[-1] == count - 1:
        return f"kernels.SumFirst({count}, {ones})"
    if count < x.type.rank and axes[0] == x.type.rank - count:
        return f"kernels.SumLast({axes[0]}, {ones})"
    if axes and axes[0] > 0 and axes[-1] - axes[0] == count - 1:
        return f"kernels.SumMiddle({axes[0]}, {axes[-1] + 1}, {ones})"
    return None


def _reduce(name: str, op: ops.ReduceSum | ops.ReduceMean, x: str) -> Kernel:
    """Write a primitive; the function of the same name takes 40 ms more to compile at every use."""
    return Kernel(f"ops.{name}({op.keepdims})", (x, str(op.axes)))


def _sum(op: ops.ReduceSum, x: Operand) -> Source:
    over = _fast_sum(op, x)
    return Kernel(over, (x,)) if over else _reduce("ReduceSum", op, x)


def _mean(op: ops.ReduceMean, x: Operand) -> Source:
    over = _fast_sum(op, x)
    if over:
        return Kernel(f"kernels.Mean({over})", (x,))
    return _reduce("ReduceMean", op, x)


def _maximum_over(op: ops.ReduceMax, x: str) -> str:
    """Add the NaN that the native kernel drops; the derivative stays the kernel's."""
    nan = f"ops.stop_gradient(ops.where(ops.equal({x}, {x}), 0.0, {x}))"
    over = f"{op.axes}, {op.keepdims}"
    return f"ops.add(ops.amax({x}, {over}), ops.sum({nan}, {over}))"


def _clip(op: ops.Clip, x: str) -> str:
    low, high = literal(op.low), literal(op.high)
    inside = f"ops.where(ops.greater({x}, {high}), {high}, {x})"
    return f"ops.where(ops.less({x}, {low}), {low}, {inside})"


def _pairwise(name: str) -> Callable[..., Source]:
    """Write `ops.name`, or a Cell if one operand is broadcast along axes of the other."""

    def lower(op: Op, a: Operand, b: Operand) -> Source:
        over = repetition(a.type, b.type)
        if over:
            return Kernel(f"kernels.{name}({over})", (a, b))
        over = None if name == "Sub" else repetition(b.type, a.type)
        if over:
            return Kernel(f"kernels.{name}({over})", (b, a))
        return f"ops.{name.lower()}({a}, {b})"

    return lower


def _divide(op: ops.Div, a: Operand, b: Operand) -> Source:
    """Multiply by the reciprocal, which is 12 times faster; for a literal it is a number."""
    source = f"ops.reciprocal({b})" if b.isidentifier() else f"1.0 / {b}"
    return _pairwise("Mul")(op, a, Operand(source, b.type))


def _reshape(op: ops.Reshape, x: str) -> str:
    return f"ops.reshape({x}, {tuple(-1 if size is None else size for size in op.shape)})"


def _broadcast_to(op: ops.BroadcastTo, x: str) -> str:
    sizes = ", ".join(f"{x}.shape[0]" if size is None else str(size) for size in op.shape)
    return f"ops.broadcast_to({x}, ({sizes},))"


def _pad(op: ops.Pad, x: str) -> Kernel:
    pads = tuple(size for pair in reversed(op.pairs) for size in pair)
    return Kernel(f"kernels.Pad({literal(op.value)})", (x, str(pads)))


def _slice(op: ops.Slice, x: str) -> str:
    sizes = [f"{x}.shape[{i}]" if n is None else str(n) for i, n in enumerate(op.sizes)]
    return f"ops.slice({x}, {op.starts}, ({', '.join(sizes)},))"


def _extremum(compare: str) -> Callable[..., str]:
    """Select by a comparison; native gradients are halved at ties, and NaN is not always kept."""

    def lower(op: Op, a: str, b: str) -> str:
        keep = f"ops.logical_or(ops.{compare}({a}, {b}), ops.not_equal({a}, {a}))"
        return f"ops.where({keep}, {a}, {b})"

    return lower


def _one_hot(op: ops.OneHot, x: str) -> Kernel:
    return Kernel("ops.OneHot()", (x, str(op.depth), "ms.Tensor(1.0)", "ms.Tensor(0.0)"))


def window(name: str, *more: str) -> Callable[..., Kernel]:
    """Write a Cell of `windows`, made with the attributes of the operation and what follows."""

    def lower(op: Op, *arguments: str) -> Kernel:
        given = ", ".join([attributes(op), *more])
        return Kernel(f"kernels.{name}({given})", arguments, channels_first=True)

    return lower


def attributes(op: Op) -> str:
    """Return the attributes of an operation as arguments."""
    return ", ".join(repr(getattr(op, field.name)) for field in fields(op))


def _conv(op: ops.Conv, x: Operand, kernel: Operand) -> Kernel:
    """Write the form of a convolution that is fastest on this machine."""
    if form_of_conv(op, kernel.type) == "native":
        source = f"kernels.Conv({kernel.type.shape}, {attributes(op)})"
        return Kernel(source, (x, kernel), channels_first=True)
    if op.groups > 1:
        return Kernel(f"kernels.GroupedSlices({attributes(op)})", (x, kernel))
    return Kernel(f"kernels.ConvSlices({op.strides}, {op.padding}, {op.dilation})", (x, kernel))


def per_channel(op: Op, x: Operand, small: Operand) -> Kernel:
    """Write an operation of a channels-first array and one number per channel."""
    return Kernel(f"kernels.{type(op).__name__}(kernels.OverChannels())", (x, small))


LOWERINGS: dict[type[Op], Callable[..., Source]] = {
    ops.Abs: call("abs"),
    ops.Add: _pairwise("Add"),
    ops.AllReduceGradient: lambda op, x: Kernel(f"kernels.AllReduceGradient('{x}')", (x,)),
    ops.AllReduceSum: lambda op, x: Kernel(f"kernels.AllReduceSum('{x}')", (x,)),
    ops.ArgMax: lambda op, x: f"kernels.argmax({x}, {op.axis})",
    ops.AvgPool: window("AvgPool"),
    ops.BatchMatMul: lambda op, a, b: Kernel("kernels.BatchMatMul()", (a, b)),
    ops.BroadcastTo: _broadcast_to,
    ops.Cast: lambda op, x: f"ops.cast({x}, {DTYPES[op.dtype]})",
    ops.Clip: _clip,
    ops.Concat: lambda op, *xs: f"ops.cat(({', '.join(xs)},), {op.axis})",
    ops.Conv: _conv,
    ops.ConvTranspose: window("ConvTranspose"),
    ops.Div: _divide,
    ops.Equal: call("equal"),
    ops.Erfc: call("erfc"),
    ops.Exp: lambda op, x: Kernel("kernels.Exp()", (x,)),
    ops.Expm1: lambda op, x: Kernel("kernels.Expm1()", (x,)),
    ops.Greater: call("greater"),
    ops.Log: lambda op, x: Kernel("kernels.Log()", (x,)),
    ops.LogSoftmax: lambda op, x: Kernel(f"kernels.LogSoftmax({op.axis})", (x,)),
    ops.MatMul: lambda op, x, w: Kernel("kernels.MatMul()", (x, w)),
    ops.MaxPool: window("MaxPool"),
    ops.Maximum: _extremum("greater_equal"),
    ops.Minimum: _extremum("less_equal"),
    ops.Mul: _pairwise("Mul"),
    ops.Neg: call("neg"),
    ops.OneHot: _one_hot,
    ops.Pad: _pad,
    ops.PutRows: lambda op, *arguments: Kernel("kernels.PutRows()", arguments),
    ops.ReduceMax: _maximum_over,
    ops.ReduceMean: _mean,
    ops.ReduceSum: _sum,
    ops.Relu: lambda op, x: Kernel("kernels.Relu()", (x,)),
    ops.Reshape: _reshape,
    ops.Reverse: lambda op, x: f"ops.flip({x}, {op.axes})",
    ops.Select: call("where"),
    ops.Sigmoid: call("sigmoid"),
    ops.Sign: lambda op, x: f"ops.where(ops.equal({x}, {x}), ops.sign({x}), {x})",  # keeps NaN
    ops.Slice: _slice,
    ops.Softmax: lambda op, x: Kernel(f"kernels.Softmax({op.axis})", (x,)),
    ops.Softplus: lambda op, x: Kernel("kernels.Softplus()", (x,)),
    ops.Sqrt: call("sqrt"),
    ops.Square: lambda op, x: Kernel("kernels.Square()", (x,)),
    ops.Sub: _pairwise("Sub"),
    ops.SumRepeats: lambda op, rows, x: Kernel(f"kernels.SumRepeats({op.size})", (rows, x)),
    ops.Take: lambda op, table, indices: Kernel("kernels.Take()", (table, indices)),
    ops.Tanh: lambda op, x: Kernel("kernels.Tanh()", (x,)),
    ops.Transpose: lambda op, x: f"ops.transpose({x}, {op.permutation})",
}

WINDOWS = (ops.AvgPool, ops.Conv, ops.ConvTranspose, ops.MaxPool)
"""Operations that can be written with their channels first."""
