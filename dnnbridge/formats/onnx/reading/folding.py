"""Nodes that depend on arrays and sizes alone: they are computed when the file is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.packages import load
from dnnbridge.formats.onnx.package import onnx_package
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, known

FOLDED = {
    *("Abs", "Add", "And", "Cast", "Ceil", "Concat", "ConstantOfShape", "Div", "Equal", "Exp"),
    *("Expand", "Flatten", "Floor", "Gather", "Greater", "Identity", "Less", "Log", "MatMul"),
    *("Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "Reciprocal"),
    *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Shape"),
    *("Size", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Transpose", "Trilu", "Unsqueeze"),
    *("GreaterOrEqual", "LessOrEqual", "Where", "Xor"),
}
"""Operators that are computed if all their inputs are known."""

MOVING = {"Cast", "Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
"""Operators after which a weight of the file is still that weight."""

LARGEST = 2**27
"""Elements of a result."""


def fold(node: Any, opset: int, inputs: Sequence[Known | None]) -> list[Known]:
    """Compute a node, once for each marker."""
    if node.op_type in ("ConstantOfShape", "Expand") and (once := _once(node, opset, inputs)):
        return [once]
    pairs = zip(
        _computed(node, opset, [None if x is None else x.array for x in inputs]),
        _computed(node, opset, [None if x is None else x.other for x in inputs]),
        strict=True,
    )
    name = inputs[0].name if node.op_type in MOVING and inputs[0] else ""
    made = []
    for first, second in pairs:
        if first.shape != second.shape:
            raise CannotReadError("an array whose shape depends on the size of the batch")
        made.append(Known(first, second, name))
    return made


def _once(node: Any, opset: int, inputs: Sequence[Known | None]) -> Known | None:
    """Return an array that is repeated for each example as one of them.

    Such are the states that a recurrent layer starts with, and the class token of a transformer. It
    has size 1 for the batch, and so it broadcasts to the same.
    """
    sizes, array = inputs[-1], inputs[0]
    if sizes is None or array is None or np.array_equal(sizes.array, sizes.other):
        return None
    wanted = np.where(sizes.array == sizes.other, sizes.array, 1)
    given = [wanted] if len(inputs) == 1 else [array.fixed, wanted]
    (made,) = _computed(node, opset, given)
    places = np.flatnonzero(sizes.array != sizes.other) - sizes.array.size
    if any(made.shape[place] != 1 for place in places):
        return None
    same = len(inputs) == 2 and made.size == array.array.size
    return known(made, array.name if same else "")


def _computed(node: Any, opset: int, arrays: Sequence[Array | None]) -> list[Array]:
    _check_size(node.op_type, arrays)
    onnx = onnx_package("from_onnx")
    reference = load("onnx.reference")
    feeds: dict[str, Array] = {
        name: array for name, array in zip(node.input, arrays, strict=True) if array is not None
    }
    inputs = [_typed(onnx, name, array) for name, array in feeds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "folded", inputs, outputs)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    with np.errstate(all="ignore"):
        made = reference.ReferenceEvaluator(model).run(None, feeds)
    return [np.asarray(each) for each in made]


def _typed(onnx: Any, name: str, array: Array) -> Any:
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, array.shape)


def _check_size(kind: str, arrays: Sequence[Array | None]) -> None:
    """Raise if a small array would make a huge one."""
    given = [np.asarray(each) for each in arrays if each is not None]
    count = max((each.size for each in given), default=0)
    if kind in ("ConstantOfShape", "Expand"):
        count = math.prod(abs(int(size)) for size in given[-1].ravel())
        count *= given[0].size if kind == "Expand" else 1
    elif kind == "Range":
        count = int(abs((given[1] - given[0]) / given[2])) + 1
    elif kind not in ("Reshape", "Cast", "Gather", "Slice", "Split", "Identity"):
        shapes = [each.shape for each in given]
        count = max(count, *(math.prod(shape) for shape in shapes), 0)
        if kind not in ("Concat", "MatMul", "Transpose", "Unsqueeze", "Squeeze"):
            count = _broadcast(shapes, count)
    if count > LARGEST:
        raise CannotReadError(f"an array of {count:,} elements that is computed from others")


def _broadcast(shapes: Sequence[tuple[int, ...]], count: int) -> int:
    try:
        return max(count, math.prod(np.broadcast_shapes(*shapes)))
    except ValueError:
        return count
