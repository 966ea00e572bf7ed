"""The table of operations in float64, where it differs from the table of the CPU.

MindSpore's own kernels are exact in float64 (2e-16), where those of float32 are not. A few are
missing or exact to float32 alone: see `double_kernels.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from dnnbridge.backend import Op, ops
from dnnbridge_mindspore.loops import Direct
from dnnbridge_mindspore.lowerings import Kernel, Source, attributes, call
from dnnbridge_mindspore.names import Operand, literal
from dnnbridge_mindspore.native_lowerings import ON_ACCELERATOR


def _conv(op: ops.Conv, x: Operand, kernel: Operand) -> Kernel:
    given = f"{op.strides}, {op.padding}, {op.dilation}"
    if op.groups > 1:
        return Kernel(f"kernels.GroupedSlices({given}, {op.groups})", (x, kernel))
    return Kernel(f"kernels.ConvSlices({given})", (x, kernel))


def _conv_transpose(op: ops.ConvTranspose, x: Operand, kernel: Operand) -> Kernel:
    return Kernel(f"kernels.DoubleConvTranspose({attributes(op)})", (x, kernel))


def _avg_pool(op: ops.AvgPool, x: Operand) -> Kernel:
    return Kernel(f"kernels.double_avg_pool({attributes(op)}, {x.type.shape[1:-1]})", (x,))


IN_FLOAT64: dict[type[Op], Callable[..., Source]] = {
    **{
        op: ON_ACCELERATOR[op]
        for op in (ops.Add, ops.Div, ops.Exp, ops.Log, ops.Mul, ops.ReduceMean, ops.ReduceSum)
    },
    ops.AvgPool: _avg_pool,
    ops.Clip: lambda op, x: Kernel(
        f"kernels.DoubleClip({literal(op.low)}, {literal(op.high)})", (x,)
    ),
    ops.Conv: _conv,
    ops.ConvTranspose: _conv_transpose,
    ops.Expm1: lambda op, x: Kernel("kernels.DoubleExpm1()", (x,)),
    ops.MaxPool: lambda op, x: Kernel(f"kernels.DoubleMaxPool({attributes(op)})", (x,)),
    ops.Softplus: lambda op, x: Kernel("kernels.DoubleSoftplus()", (x,)),
    ops.Square: call("square"),
    ops.Sub: ON_ACCELERATOR[ops.Sub],
    ops.Tanh: call("tanh"),
}

DIRECT: Direct = frozenset({ops.Div, ops.ReduceMean, ops.ReduceSum})
"""Further operations whose derivative compiles inside the derivative of a loop."""

READ = "ops.neg(ops.neg({}))"
"""A copy: where MindSpore copies a parameter itself, it uses a kernel that has only float32."""
