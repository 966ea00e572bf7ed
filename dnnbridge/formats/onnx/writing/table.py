"""The table of operations: the ONNX form of each. Nothing here knows a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dnnbridge import ops
from dnnbridge.formats.onnx.writing.fusing import fused_sum
from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import (
    Known,
    Operand,
    Tensor,
    axis_first,
    number,
    to_first,
    to_last,
)
from dnnbridge.formats.onnx.writing.windows import WINDOWS
from dnnbridge.graph import Op, TensorType

Lowering = Callable[..., Tensor]
"""(nodes, operation, type of the result, *operands) -> result"""

DTYPES = {"float32": "FLOAT", "int32": "INT32", "bool": "BOOL"}
"""Names of dtypes in `onnx.TensorProto`."""

LOWEST = int(np.iinfo(np.int64).min)


def _pointwise(kind: str) -> Lowering:
    return lambda w, op, made, *xs: w.pointwise(kind, xs, made)


def _add(w: Nodes, op: ops.Add, type: TensorType, a: Operand, b: Operand) -> Tensor:
    return fused_sum(w, a, b, type) or w.pointwise("Add", (a, b), type)


def _erfc(w: Nodes, op: ops.Erfc, type: TensorType, x: Operand) -> Tensor:
    return w.pointwise("Sub", (number(1.0), w.pointwise("Erf", (x,), type)), type)


def _expm1(w: Nodes, op: ops.Expm1, type: TensorType, x: Operand) -> Tensor:
    """Write tanh(x / 2) · (eˣ + 1), which is exact near 0."""
    half = w.pointwise("Mul", (x, number(0.5)), type)
    more = w.pointwise("Add", (w.pointwise("Exp", (x,), type), number(1.0)), type)
    return w.pointwise("Mul", (w.pointwise("Tanh", (half,), type), more), type)


def _clip(w: Nodes, op: ops.Clip, type: TensorType, x: Operand) -> Tensor:
    return w.pointwise("Clip", (x, number(float(op.low)), number(float(op.high))), type)


def _cast(w: Nodes, op: ops.Cast, type: TensorType, x: Operand) -> Tensor:
    return w.pointwise("Cast", (x,), type, to=DTYPES[op.dtype])


def _matmul(w: Nodes, op: Op, type: TensorType, a: Operand, b: Operand) -> Tensor:
    return Tensor(type, w.add("MatMul", [w.last(a), w.last(b)]))


def _take(w: Nodes, op: Op, type: TensorType, table: Operand, indices: Operand) -> Tensor:
    """Write a row of NaN for an index outside of a constant table.

    ONNX Runtime counts negative indices from the end, and refuses those beyond the table.
    """
    index = w.last(indices)
    if isinstance(table, Known):
        count = len(table.array)
        end, zero = (w.last(Known(np.array(n, np.int32))) for n in (count, 0))
        outside = w.add("Or", [w.add("Less", [index, zero]), w.add("Greater", [index, end])])
        index = w.add("Where", [outside, end, index])
        row = np.full((1, *table.array.shape[1:]), np.nan, table.array.dtype)
        table = Known(np.concatenate([table.array, row]))
    return Tensor(type, w.add("Gather", [w.last(table), index], axis=0))


def _argmax(w: Nodes, op: ops.ArgMax, type: TensorType, x: Operand) -> Tensor:
    made = w.add("ArgMax", [w.last(x)], axis=op.axis, keepdims=0)
    return Tensor(type, w.add("Cast", [made], to="INT32"))


def _one_hot(w: Nodes, op: ops.OneHot, type: TensorType, x: Operand) -> Tensor:
    """Compare with all numbers: OneHot of ONNX counts negative ones from the end."""
    column = w.add("Unsqueeze", [w.last(x), w.sizes([-1])])
    equal = w.add("Equal", [column, w.last(Known(np.arange(op.depth, dtype=np.int32)))])
    return Tensor(type, w.add("Cast", [equal], to="FLOAT"))


def _softmax(kind: str) -> Lowering:
    def lower(w: Nodes, op: Any, type: TensorType, x: Operand) -> Tensor:
        if isinstance(x, Tensor) and x.is_first:
            axis = axis_first(op.axis, x.rank)
            return Tensor(type, first=w.add(kind, [w.first(x)], axis=axis))
        return Tensor(type, w.add(kind, [w.last(x)], axis=op.axis))

    return lower


def _reduce(kind: str) -> Lowering:
    """Return the form of a reduction. ReduceSum has its axes as an input, the others do not."""

    def reduced(w: Nodes, name: str, axes: list[int], keepdims: bool) -> str:
        if kind == "ReduceSum":
            return w.add(kind, [name, w.sizes(axes)], keepdims=int(keepdims))
        return w.add(kind, [name], axes=axes, keepdims=int(keepdims))

    def lower(w: Nodes, op: Any, type: TensorType, x: Operand) -> Tensor:
        spatial = op.axes == tuple(range(1, x.rank - 1))
        if isinstance(x, Tensor) and x.is_first and (op.keepdims or spatial):
            axes = sorted(axis_first(axis, x.rank) for axis in op.axes)
            made = reduced(w, w.first(x), axes, op.keepdims)
            return Tensor(type, first=made) if op.keepdims else Tensor(type, made)
        return Tensor(type, reduced(w, w.last(x), list(op.axes), op.keepdims))

    return lower


def _reshape(w: Nodes, op: ops.Reshape, type: TensorType, x: Operand) -> Tensor:
    """Write a 0 for the batch, which stays what it is."""
    shape = [0 if size is None else size for size in op.shape]
    return Tensor(type, w.add("Reshape", [w.last(x), w.sizes(shape)]))


def _broadcast_to(w: Nodes, op: ops.BroadcastTo, type: TensorType, x: Operand) -> Tensor:
    """Write a 1 for the batch: Expand keeps the size of the operand there."""
    shape = [1 if size is None else size for size in op.shape]
    return Tensor(type, w.add("Expand", [w.last(x), w.sizes(shape)]))


def _transpose(w: Nodes, op: ops.Transpose, type: TensorType, x: Operand) -> Tensor:
    """Write nothing where only the channels move: the other layout is there, or made if needed."""
    assert isinstance(x, Tensor)
    if op.permutation == to_first(x.rank) and x.first is not None:
        return Tensor(type, x.first)
    if op.permutation == to_last(x.rank) and x.rank > 2:
        return Tensor(type, first=w.last(x))
    return Tensor(type, w.add("Transpose", [w.last(x)], perm=op.permutation))


def _concat(w: Nodes, op: ops.Concat, type: TensorType, *xs: Operand) -> Tensor:
    if all(isinstance(x, Tensor) and x.is_first for x in xs):
        axis = axis_first(op.axis, type.rank)
        return Tensor(type, first=w.add("Concat", [w.first(x) for x in xs], axis=axis))
    return Tensor(type, w.add("Concat", [w.last(x) for x in xs], axis=op.axis))


def _pad(w: Nodes, op: ops.Pad, type: TensorType, x: Operand) -> Tensor:
    pairs, value = op.pairs, w.last(number(float(op.value)))
    first = isinstance(x, Tensor) and x.is_first
    if first:
        pairs = tuple(pairs[axis] for axis in to_first(type.rank))
    sizes = w.sizes([before for before, _ in pairs] + [after for _, after in pairs])
    made = w.add("Pad", [w.first(x) if first else w.last(x), sizes, value])
    return Tensor(type, first=made) if first else Tensor(type, made)


def _slice(w: Nodes, op: ops.Slice, type: TensorType, x: Operand) -> Tensor:
    shape = x.array.shape if isinstance(x, Known) else x.type.shape
    cut = [i for i, size in enumerate(op.sizes) if size is not None and size != shape[i]]
    if not cut:
        return x if isinstance(x, Tensor) else Tensor(type, w.last(x))
    starts, ends = [op.starts[i] for i in cut], [op.starts[i] + (op.sizes[i] or 0) for i in cut]
    first = isinstance(x, Tensor) and x.is_first
    axes = [axis_first(i, x.rank) for i in cut] if first else cut
    made = w.add(
        "Slice",
        [w.first(x) if first else w.last(x), w.sizes(starts), w.sizes(ends), w.sizes(axes)],
    )
    return Tensor(type, first=made) if first else Tensor(type, made)


def _reverse(w: Nodes, op: ops.Reverse, type: TensorType, x: Operand) -> Tensor:
    count = len(op.axes)
    indices = (w.sizes([-1] * count), w.sizes([LOWEST] * count), w.sizes(op.axes))
    return Tensor(type, w.add("Slice", [w.last(x), *indices, w.sizes([-1] * count)]))


TABLE: Mapping[type[Op], Lowering] = {
    ops.Abs: _pointwise("Abs"),
    ops.Add: _add,
    ops.ArgMax: _argmax,
    ops.BatchMatMul: _matmul,
    ops.BroadcastTo: _broadcast_to,
    ops.Cast: _cast,
    ops.Clip: _clip,
    ops.Concat: _concat,
    ops.Div: _pointwise("Div"),
    ops.Equal: _pointwise("Equal"),
    ops.Erfc: _erfc,
    ops.Exp: _pointwise("Exp"),
    ops.Expm1: _expm1,
    ops.Greater: _pointwise("Greater"),
    ops.Log: _pointwise("Log"),
    ops.LogSoftmax: _softmax("LogSoftmax"),
    ops.MatMul: _matmul,
    ops.Maximum: _pointwise("Max"),
    ops.Minimum: _pointwise("Min"),
    ops.Mul: _pointwise("Mul"),
    ops.Neg: _pointwise("Neg"),
    ops.OneHot: _one_hot,
    ops.Pad: _pad,
    ops.ReduceMax: _reduce("ReduceMax"),
    ops.ReduceMean: _reduce("ReduceMean"),
    ops.ReduceSum: _reduce("ReduceSum"),
    ops.Relu: _pointwise("Relu"),
    ops.Reshape: _reshape,
    ops.Reverse: _reverse,
    ops.Select: _pointwise("Where"),
    ops.Sigmoid: _pointwise("Sigmoid"),
    ops.Sign: _pointwise("Sign"),
    ops.Slice: _slice,
    ops.Softmax: _softmax("Softmax"),
    ops.Softplus: _pointwise("Softplus"),
    ops.Sqrt: _pointwise("Sqrt"),
    ops.Square: lambda w, op, made, x: w.pointwise("Mul", (x, x), made),
    ops.Sub: _pointwise("Sub"),
    ops.Take: _take,
    ops.Tanh: _pointwise("Tanh"),
    ops.Transpose: _transpose,
    **WINDOWS,
}

NOT_IN_A_PREDICTION: Mapping[type[Op], str] = {
    ops.AllReduceGradient: "it sums gradients of workers",
    ops.AllReduceSum: "it sums what workers computed of a batch",
    ops.PutRows: "it writes rows of a table after an update",
    ops.SumRepeats: "it sums gradients of rows",
}
"""Operations without an ONNX form, and why."""
