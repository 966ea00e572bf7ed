"""Make the protobuf messages of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.writing.loops import OnnxGraph
from dnnbridge.formats.onnx.writing.nodes import OnnxNode
from dnnbridge.formats.onnx.writing.table import DTYPES
from dnnbridge.graph import TensorType

OPSET = 17
"""Version of the operators: the first with LayerNormalization."""

IR_VERSION = 8
"""Version of the file format that belongs to this version of the operators."""


def model_message(
    onnx: Any,
    nodes: Sequence[OnnxNode],
    initializers: Mapping[str, Array],
    inputs: Sequence[tuple[str, TensorType]],
    outputs: Sequence[tuple[str, TensorType]],
) -> Any:
    """Return a `ModelProto`; the batch is the symbolic size "batch"."""
    graph = onnx.helper.make_graph(
        [_node(onnx, node) for node in nodes],
        "prediction",
        [_info(onnx, *each) for each in inputs],
        [_info(onnx, *each) for each in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    return onnx.helper.make_model(
        graph,
        producer_name="dnnbridge",
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )


def _info(onnx: Any, name: str, type: TensorType) -> Any:
    dtype = getattr(onnx.TensorProto, DTYPES[type.dtype])
    shape = ["batch" if size is None else size for size in type.shape]
    return onnx.helper.make_tensor_value_info(name, dtype, shape)


def _node(onnx: Any, node: OnnxNode) -> Any:
    attributes = {name: _attribute(onnx, node, name) for name in node.attributes}
    return onnx.helper.make_node(node.kind, node.inputs, node.outputs, node.name, **attributes)


def _attribute(onnx: Any, node: OnnxNode, name: str) -> Any:
    value = node.attributes[name]
    if isinstance(value, OnnxGraph):
        return onnx.helper.make_graph(
            [_node(onnx, each) for each in value.nodes],
            value.name,
            [_info(onnx, *each) for each in value.inputs],
            [_info(onnx, *each) for each in value.outputs],
        )
    if node.kind == "Cast":
        return getattr(onnx.TensorProto, value)
    return value
