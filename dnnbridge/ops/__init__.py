"""Primitive operations, and functions of the same names that record them.

A layer, activation, loss or optimizer writes its equation with these functions and with the
operators of `Value`. Each class defines the type rule; the reference computes the numbers.

Example:
    >>> from dnnbridge import ops
    >>> from dnnbridge.graph import BATCH, Builder, TensorType
    >>> graph = Builder("swish")
    >>> x = graph.input("x", TensorType((BATCH, 3)))
    >>> print(graph.graph([x * ops.sigmoid(x)]))
    swish(x: float32[batch, 3]):
      v0: float32[batch, 3] = Sigmoid(x)
      v1: float32[batch, 3] = Mul(x, v0)
      return v1
"""

from dnnbridge.graph import Op
from dnnbridge.graph.arithmetic import Abs, Add, Div, Greater, MatMul, Mul, Neg, Sub
from dnnbridge.ops import (
    across,
    arithmetic,
    convolution,
    elementwise,
    indexing,
    linear,
    pooling,
    reductions,
    shapes,
)
from dnnbridge.ops.across import (
    AllReduceGradient,
    AllReduceSum,
    all_reduce_gradient,
    all_reduce_sum,
)
from dnnbridge.ops.convolution import Conv, ConvTranspose, conv, conv_transpose
from dnnbridge.ops.elementwise import (
    Cast,
    Clip,
    Equal,
    Erfc,
    Exp,
    Expm1,
    Log,
    Maximum,
    Minimum,
    Relu,
    Select,
    Sigmoid,
    Sign,
    Softplus,
    Sqrt,
    Square,
    Tanh,
    abs,
    cast,
    clip,
    equal,
    erfc,
    exp,
    expm1,
    log,
    maximum,
    minimum,
    relu,
    sigmoid,
    sign,
    softplus,
    sqrt,
    square,
    tanh,
    where,
)
from dnnbridge.ops.indexing import PutRows, SumRepeats, Take, put_rows, sum_repeats, take
from dnnbridge.ops.linear import BatchMatMul, batch_matmul
from dnnbridge.ops.pooling import AvgPool, MaxPool, avg_pool, max_pool
from dnnbridge.ops.reductions import (
    ArgMax,
    LogSoftmax,
    OneHot,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Softmax,
    argmax,
    log_softmax,
    one_hot,
    reduce_max,
    reduce_mean,
    reduce_sum,
    softmax,
)
from dnnbridge.ops.rule import Rule
from dnnbridge.ops.shapes import (
    BroadcastTo,
    Concat,
    Pad,
    Reshape,
    Reverse,
    Slice,
    Transpose,
    broadcast_to,
    concat,
    pad,
    reshape,
    reverse,
    slice,
    transpose,
    with_batch,
    with_size,
)
from dnnbridge.specs.former_names import forwarding

PRIMITIVES: tuple[type[Op], ...] = tuple(
    value
    for value in globals().values()
    if isinstance(value, type) and issubclass(value, Op) and value is not Op
)
"""Every operation that a backend lowers or declares as a limitation."""

RULES: dict[type[Op], Rule] = {
    **arithmetic.RULES,
    **elementwise.RULES,
    **reductions.RULES,
    **shapes.RULES,
    **indexing.RULES,
    **linear.RULES,
    **convolution.RULES,
    **pooling.RULES,
    **across.RULES,
}
"""The rule of every operation, which computes its numbers."""


__all__ = [
    "PRIMITIVES",
    "RULES",
    "Abs",
    "Add",
    "AllReduceGradient",
    "AllReduceSum",
    "ArgMax",
    "AvgPool",
    "BatchMatMul",
    "BroadcastTo",
    "Cast",
    "Clip",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Div",
    "Equal",
    "Erfc",
    "Exp",
    "Expm1",
    "Greater",
    "Log",
    "LogSoftmax",
    "MatMul",
    "MaxPool",
    "Maximum",
    "Minimum",
    "Mul",
    "Neg",
    "OneHot",
    "Pad",
    "PutRows",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Reverse",
    "Select",
    "Sigmoid",
    "Sign",
    "Slice",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Square",
    "Sub",
    "SumRepeats",
    "Take",
    "Tanh",
    "Transpose",
    "abs",
    "all_reduce_gradient",
    "all_reduce_sum",
    "argmax",
    "avg_pool",
    "batch_matmul",
    "broadcast_to",
    "cast",
    "clip",
    "concat",
    "conv",
    "conv_transpose",
    "equal",
    "erfc",
    "exp",
    "expm1",
    "log",
    "log_softmax",
    "max_pool",
    "maximum",
    "minimum",
    "one_hot",
    "pad",
    "put_rows",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "relu",
    "reshape",
    "reverse",
    "sigmoid",
    "sign",
    "slice",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "sum_repeats",
    "take",
    "tanh",
    "transpose",
    "where",
    "with_batch",
    "with_size",
]

__getattr__ = forwarding(__name__, globals().get)
