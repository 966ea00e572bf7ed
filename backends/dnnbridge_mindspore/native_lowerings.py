"""The table of operations on accelerators, where it differs from the table of the CPU.

What the CPU's table does because a kernel of the CPU is inexact, wrong or slow, an accelerator does
by its native operation: a convolution, a sum, a tanh. What it does because MindSpore's operation
means something else is the same everywhere: the derivative of a maximum at a tie, rows out of
range.
"""

from __future__ import annotations

from collections.abc import Callable

from dnnbridge.backend import Op, ops
from dnnbridge_mindspore.loops import Direct
from dnnbridge_mindspore.lowerings import LOWERINGS, Kernel, Source, attributes, call, window
from dnnbridge_mindspore.names import Operand, literal

PAD = "kernels.NativePad"


def _primitive(source: str) -> Callable[..., Kernel]:
    """Write a primitive, whose arguments in braces are attributes of the operation."""
    return lambda op, *arguments: Kernel(source.format(op=op), arguments)


def _reduce(name: str) -> Callable[..., Kernel]:
    return lambda op, x: Kernel(f"ops.{name}({op.keepdims})", (x, str(op.axes)))


def _conv(op: ops.Conv, x: Operand, kernel: Operand) -> Kernel:
    given = f"{kernel.type.shape}, {attributes(op)}"
    over_three = len(op.strides) == 3
    source = f"kernels.NativeConv3D({given})" if over_three else f"kernels.Conv({given}, {PAD})"
    return Kernel(source, (x, kernel), channels_first=True)


def _pad(op: ops.Pad, x: str) -> Kernel:
    pads = tuple(size for pair in reversed(op.pairs) for size in pair)
    return Kernel(f"{PAD}({literal(op.value)})", (x, str(pads)))


def _slice(op: ops.Slice, x: Operand) -> Source:
    """Slice booleans as whole numbers, as an Ascend has no kernel for them."""
    if x.type.dtype != "bool":
        return LOWERINGS[ops.Slice](op, x)
    numbers = LOWERINGS[ops.Slice](op, Operand(f"ops.cast({x}, ms.int32)", x.type))
    return f"ops.cast({numbers}, ms.bool_)"


def per_channel(op: Op, x: Operand, small: Operand) -> Source:
    """Write an operation of a channels-first array and one number per channel."""
    shape = (-1, *(1,) * (x.type.rank - 2))
    return f"ops.{type(op).__name__.lower()}({x}, ops.reshape({small}, {shape}))"


ON_ACCELERATOR: dict[type[Op], Callable[..., Source]] = {
    ops.Add: call("add"),
    ops.ArgMax: _primitive("ops.Argmax({op.axis}, ms.int32)"),
    ops.AvgPool: window("AvgPool", PAD),
    ops.Conv: _conv,
    ops.ConvTranspose: window("ConvTranspose", PAD, "kernels.NativeTranspose3D"),
    ops.Div: _primitive("ops.Div()"),
    ops.Exp: _primitive("ops.Exp()"),
    ops.Expm1: _primitive("ops.Expm1()"),
    ops.Log: _primitive("ops.Log()"),
    ops.LogSoftmax: _primitive("ops.LogSoftmax({op.axis})"),
    ops.MaxPool: window("MaxPool", PAD),
    ops.Mul: call("mul"),
    ops.Pad: _pad,
    ops.ReduceMax: lambda op, x: f"ops.amax({x}, {op.axes}, {op.keepdims})",
    ops.ReduceMean: _reduce("ReduceMean"),
    ops.ReduceSum: _reduce("ReduceSum"),
    ops.Relu: _primitive("ops.ReLU()"),
    ops.Slice: _slice,
    ops.Softmax: _primitive("ops.Softmax({op.axis})"),
    ops.Softplus: _primitive("ops.Softplus()"),
    ops.Sub: call("sub"),
    ops.Tanh: _primitive("ops.Tanh()"),
}

DIRECT: Direct = frozenset(
    {
        *(
            ops.Cast,
            ops.Clip,
            ops.Conv,
            ops.Div,
            ops.Equal,
            ops.LogSoftmax,
            ops.Maximum,
            ops.Minimum,
        ),
        *(ops.OneHot, ops.ReduceMean, ops.ReduceSum, ops.Relu, ops.Softmax, ops.Softplus),
    }
)
"""Further operations whose derivative compiles inside the derivative of a loop.

Where one is missing, MindSpore's own derivative may unpack a tuple, which an Ascend cannot.
"""

NATIVE: frozenset[type[Op]] = frozenset({ops.BatchMatMul, ops.Conv, ops.MatMul})
"""Products in float16 and bfloat16: an accelerator adds them up in float32 and rounds once."""
