"""Nodes whose batch is not the first axis, or is one axis with others: as nodes with it first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, Merged, Tensor, Value

POINTWISE = {
    *("Abs", "Add", "Cast", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid"),
    *("HardSwish", "LeakyRelu", "Log", "Max", "Min", "Mish", "Mul", "Neg", "Pow", "Reciprocal"),
    *(
        "And",
        "Equal",
        "Greater",
        "GreaterOrEqual",
        "Less",
        "LessOrEqual",
        "Not",
        "Or",
        "Where",
        "Xor",
    ),
    *("Relu", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Tanh"),
}
"""Operators on each element; the axes of their arrays are those of the tensor."""

REDUCING = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"}

ALONG = {
    *(
        "Concat",
        "Gather",
        "Gemm",
        "LayerNormalization",
        "LogSoftmax",
        "MatMul",
        "Slice",
        "Softmax",
        "Split",
    ),
    *REDUCING,
}
"""Operators along axes that they name, or along the last ones."""

Layout = list[tuple[int, ...]]


def lifted(call: Call, rule: Callable[[Call], Any]) -> list[Value]:
    """Read a node on symbols, which have the batch first, and give the results its layout."""
    kind, found = call.node.op_type, [x for x in call.inputs if isinstance(x, Tensor | Merged)]
    like, layout = found[0], found[0].places
    call.require(kind in POINTWISE | ALONG, "a batch that is not the first axis")
    call.require(all(x.places == layout for x in found), "batches at different axes")
    _check_axes(call, layout)
    inputs = [_first(call, x, layout) for x in call.inputs]
    made = rule(replace(call, inputs=inputs, places=layout))
    results = made if isinstance(made, list) else [made]
    return [_back(call, x, like) for x in results]


def _check_axes(call: Call, layout: Layout) -> None:
    """Raise if a node works along the axis of the batch without naming it."""
    kind, place = call.node.op_type, next(i for i, axes in enumerate(layout) if 0 in axes)
    rank = len(layout)
    last = {"Gemm": rank - 1, "MatMul": rank - 1}.get(kind, rank)
    if kind == "MatMul" and not any(isinstance(x, Known) for x in call.inputs):
        last = rank - 2
    if kind == "LayerNormalization" or (kind.endswith("Softmax") and call.opset < 13):
        default = -1 if kind == "LayerNormalization" else 1
        last = rank if int(call.get("axis", default)) % rank > place else 0
    call.require(place < last, f"axis {place}, which holds the batch")


def _first(call: Call, x: Value, layout: Layout) -> Value:
    """Return a value with its axes in the order of the symbols."""
    if isinstance(x, Tensor | Merged):
        return replace(x.tensor if isinstance(x, Merged) else x, batch=0)
    if isinstance(x, Known) and call.node.op_type in POINTWISE | {"Concat"}:
        return Known(_ordered(x.array, layout), _ordered(x.other, layout), x.name)
    return x


def _ordered(array: Array, layout: Layout) -> Array:
    if array.ndim > len(layout):
        raise CannotReadError(f"an array of shape {array.shape}")
    shape, places = list[int](), list[int]()
    given = (1,) * (len(layout) - array.ndim) + array.shape
    for size, axes in zip(given, layout, strict=True):
        if 0 in axes and size != 1:
            raise CannotReadError(f"an array of shape {array.shape} along the batch")
        shape += [size] * len(axes)
        places += axes
    return np.transpose(array.reshape(shape), [places.index(i) for i in range(len(places))])


def _back(call: Call, x: Tensor | None, like: Tensor | Merged) -> Value:
    """Return a result in the layout of the input."""
    if x is None:
        return None
    tensor = like.tensor if isinstance(like, Merged) else like
    removed = tensor.rank - x.rank
    if removed:
        gather = call.node.op_type == "Gather"
        axes = np.array([call.get("axis", 0)]) if gather else call.constant(1, "axes")
        given = [] if axes is None else [int(n) % len(like.places) for n in axes.ravel()]
        before = [like.places[n][0] for n in given if like.places[n][0] <= tensor.batch]
        tensor = replace(x, batch=tensor.batch - len(before))
    else:
        tensor = replace(x, batch=tensor.batch)
    return replace(like, tensor=tensor) if isinstance(like, Merged) else tensor
