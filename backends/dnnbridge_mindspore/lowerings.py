"""The table of operations: the MindSpore source of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dnnbridge import ops
from dnnbridge.graph import Op
from dnnbridge_mindspore.names import literal


@dataclass(frozen=True)
class Kernel:
    """A call of a Cell, which the generated class makes once and keeps.

    Attributes:
        source: expression that makes the Cell.
        arguments: what it is called with.
    """

    source: str
    arguments: tuple[str, ...]


DTYPES = {"float32": "ms.float32", "int32": "ms.int32", "bool": "ms.bool_"}

Source = str | Kernel


def _call(function: str) -> Callable[..., str]:
    return lambda op, *arguments: f"ops.{function}({', '.join(arguments)})"


def _reduction(function: str) -> Callable[..., str]:
    return lambda op, x: f"ops.{function}({x}, {op.axes}, {op.keepdims})"


def _clip(op: ops.Clip, x: str) -> str:
    low, high = literal(op.low), literal(op.high)
    inside = f"ops.where(ops.greater({x}, {high}), {high}, {x})"
    return f"ops.where(ops.less({x}, {low}), {low}, {inside})"


def _reshape(op: ops.Reshape, x: str) -> str:
    return f"ops.reshape({x}, {tuple(-1 if size is None else size for size in op.shape)})"


LOWERINGS: dict[type[Op], Callable[..., Source]] = {
    ops.Abs: _call("abs"),
    ops.Add: _call("add"),
    ops.ArgMax: lambda op, x: f"ops.cast(ops.argmax({x}, {op.axis}), ms.int32)",
    ops.Cast: lambda op, x: f"ops.cast({x}, {DTYPES[op.dtype]})",
    ops.Clip: _clip,
    ops.Concat: lambda op, *xs: f"ops.cat(({', '.join(xs)},), {op.axis})",
    ops.Div: lambda op, a, b: f"ops.mul({a}, ops.reciprocal({b}))",  # division is 12 times slower
    ops.Equal: _call("equal"),
    ops.Exp: _call("exp"),
    ops.Greater: _call("greater"),
    ops.Log: _call("log"),
    ops.LogSoftmax: lambda op, x: Kernel(f"kernels.LogSoftmax({op.axis})", (x,)),
    ops.MatMul: _call("matmul"),
    # The native gradients of maximum and minimum halve where the operands are equal.
    ops.Maximum: lambda op, a, b: f"ops.where(ops.greater_equal({a}, {b}), {a}, {b})",
    ops.Minimum: lambda op, a, b: f"ops.where(ops.less_equal({a}, {b}), {a}, {b})",
    ops.Mul: _call("mul"),
    ops.Neg: _call("neg"),
    ops.OneHot: lambda op, x: f"ops.cast(ops.one_hot({x}, {op.depth}), ms.float32)",
    ops.ReduceMax: _reduction("amax"),
    ops.ReduceMean: _reduction("mean"),
    ops.ReduceSum: _reduction("sum"),
    ops.Relu: _call("relu"),
    ops.Reshape: _reshape,
    ops.Select: _call("where"),
    ops.Sigmoid: _call("sigmoid"),
    ops.Sign: _call("sign"),
    ops.Softmax: lambda op, x: Kernel(f"kernels.Softmax({op.axis})", (x,)),
    ops.Softplus: lambda op, x: Kernel("kernels.Softplus()", (x,)),
    ops.Sqrt: _call("sqrt"),
    ops.Square: _call("square"),
    ops.Sub: _call("sub"),
    ops.Tanh: lambda op, x: Kernel("kernels.Tanh()", (x,)),
    ops.Transpose: lambda op, x: f"ops.transpose({x}, {op.permutation})",
}
